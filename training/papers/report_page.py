"""The report for a head of service: one self-contained page, with a table beside each picture."""

from __future__ import annotations

from features.catalogue import catalogue
from features.groups.disclosure import HIDDEN
from features.sentences import unfilled
from training.papers import pictures
from training.papers.material import Material
from training.papers.model_card import MITIGATIONS, PARTS_ARE_LEARNED, learns_from_parts, origins
from training.papers.paper import PaperTable
from training.papers.part import ReportSection
from training.papers.pictures import Bar
from training.papers.rendering import page
from training.papers.report_capacity import at_capacity
from training.papers.report_early import foreseeing
from training.papers.report_lists import calibration, fairness, mistakes, strangers, weeks
from training.papers.report_reasons import reasons
from training.papers.report_summer import summer
from training.papers.report_value import in_words
from training.papers.tables import TITLES, candidates, capacity, leads, number
from training.papers.used import parts_used


def report_page(m: Material) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    m : Material
        Must include the run's extended report.
    """
    sections = (
        summary,
        task,
        time,
        compared,
        at_capacity,
        foreseeing,
        summer,
        calibration,
        weeks,
        strangers,
        fairness,
        mistakes,
        reasons,
        uses,
    )
    parts = [part for section in sections if (part := section(m))]
    return page("report.html", title=f"Report on {m.title}", on=m.on.isoformat(), parts=parts)


def summary(m: Material) -> ReportSection:
    """Summarise the answers to a committee's first questions."""
    f, man = m.figures, m.manifest
    at = next((r for r in capacity(m).rows if r[0].startswith("25")), None)
    sentences = [
        f"The model ranks children on school rolls by their risk of going missing from education within {man.horizon_days} days. It was trained on {m.on} on {len(man.whole_days)} days "
        f"of histories{parts_used(man.part_days)}. The method was evaluated on {len(m.splits.test)} of the days, each time with a model trained on what was known before the day."
    ]
    if at and at[2] != HIDDEN:
        sentences.append(
            f"If a team reviews 25 children on each authority's list, {at[2]} of them go missing, and the list includes {at[3]} of all who go missing: {at[4]} children reviewed for each one found."
        )
    sentences += in_words(m)
    sentences.append(_against(m, "surroundings", "schools and areas alone"))
    sentences.append(_against(m, "checklist", "a checklist with points"))
    sentences.append(_against(m, "ridge", "a logistic regression"))
    slope = f.get("calibration_slope_interval") or [None, None]
    if slope[0] is not None:
        right = slope[0] <= 1 <= slope[1]
        sentences.append(
            f"Its risks are {'about right' if right else 'not right and should not be taken at face value'}: the calibration slope is {f['calibration_slope']:.2f} ({slope[0]:.2f} to {slope[1]:.2f}), where 1 is right."
        )
    return ReportSection(title="In short", text=[s for s in sentences if s])


def _against(m: Material, name: str, words: str) -> str:
    lead = (m.manifest.leads.get(name) or {}).get("average_precision")
    if not lead or lead["lead"] is None or lead["interval"][0] is None:
        return ""
    low, high = lead["interval"]
    better = "better than" if lead["lead"] > 0 else "worse than"
    if lead["within_noise"]:
        better = "within noise of"
    return f"It is {better} {words}: by {lead['lead']:+.3f} in average precision ({low:+.3f} to {high:+.3f})."


def task(m: Material) -> ReportSection:
    """State the prediction task."""
    d, q = m.task.definition, m.task
    sentences = [
        f"Which children will go missing within {q.horizon} days? Missing means: {d.title}. {d.text}",
        f"Source of the definition: {d.source}",
    ]
    if q.until:
        sentences.append(f"Nothing recorded on or after {q.until} was used.")
    return ReportSection(title="The question", text=sentences)


def time(m: Material) -> ReportSection:
    """Show the training, calibration and test dates."""
    text = [
        "Models are evaluated as they would be used: trained on the outcomes known before a day, then predicting that day. Days whose outcomes were not yet known are not used for training.",
        *([PARTS_ARE_LEARNED] if learns_from_parts(m.manifest) else []),
        f"Outcomes are known for {len(m.splits.dates)} days, {m.splits.dates[0]} to {m.splits.dates[-1]}.",
    ]
    table = PaperTable(("made on", "trained on", "used for"), origins(m))
    return ReportSection(
        title="Training and test data",
        text=text,
        pictures=[pictures.splits(m.splits)],
        tables=[("Training days of each model", table)],
    )


def compared(m: Material) -> ReportSection:
    """Compare the candidates."""
    figures = []
    for name, f in m.manifest.metrics.items():
        low, high = f["intervals"]["average_precision"]
        figures.append(Bar(TITLES.get(name, name), f["average_precision"] or 0.0, low, high))
    picture = pictures.bars(
        "average precision, 95% interval",
        figures,
        alt="Average precision of every candidate with its interval; the table below has the same data.",
        caption="How well each candidate ranks children on days after its training data",
    )
    text = [
        "Average precision measures how high on the list the children who went missing rank: 1 if all come first, about the share that goes missing if the order is random.",
        "Intervals are over resampled pupils. If the interval of a lead contains zero, the data do not show which of the two is better: within noise.",
        f"Chosen: {TITLES.get(m.manifest.candidate, m.manifest.candidate)}, {m.choice}.",
    ]
    return ReportSection(
        title="Candidates compared",
        text=text,
        pictures=[picture],
        tables=[("Candidates", candidates(m)), ("Leads of the chosen one", leads(m))],
    )


def uses(m: Material) -> ReportSection:
    """Report what drives the scores, and the limits of the model."""
    lost = m.report.get("themes") or {}
    rows = [
        (
            catalogue().themes.get(t, t),
            str(v["features"]),
            f"{number(v['lost'], '+.3f')} ({number(v['interval'][0], '+.3f')} to {number(v['interval'][1], '+.3f')})",
        )
        for t, v in lost.items()
    ]
    drawn = [Bar(catalogue().themes.get(t, t), v["lost"] or 0.0, *v["interval"]) for t, v in lost.items()]
    shown, tables = [], []
    if drawn:
        shown.append(
            pictures.bars(
                "average precision lost without the theme, 95% interval",
                drawn,
                line=0.0,
                alt="What each theme is worth; the table below has the same data.",
                caption="Average precision lost without each theme; other themes can often compensate",
            )
        )
        tables.append(
            (
                "What each theme is worth",
                PaperTable(("theme", "features", "average precision lost (95% interval)"), tuple(rows)),
            )
        )
    means = m.report.get("contributions") or {}
    top = sorted(means.items(), key=lambda pair: -pair[1])[:15]
    if top:
        shown.append(
            pictures.bars(
                "mean size of the contribution, in log-odds",
                [Bar(n.replace("_", " "), v) for n, v in top],
                alt="The features that move scores most; the table below has the same data.",
                caption="What moves scores most, up or down (TreeSHAP)",
            )
        )
        feature_rows = tuple(
            (
                n.replace("_", " "),
                unfilled(catalogue().by_name[n].text(True)) if n in catalogue().by_name else "",
                f"{v:.3f}",
            )
            for n, v in top
        )
        tables.append(
            (
                "The features that move scores most",
                PaperTable(("feature", "sentence when it raises a score", "mean contribution"), feature_rows),
            )
        )
    text = [
        "The features are associated with going missing. They are not necessarily causes, and changing them may change nothing."
    ]
    return ReportSection(
        title="What drives the scores, and the limits of the model",
        text=text,
        pictures=shown,
        tables=tables,
        points=[*m.manifest.limits, *MITIGATIONS],
    )
