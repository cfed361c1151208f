"""The model card: the values that come from the run."""

from __future__ import annotations

from training import bands
from training.bundle import Manifest
from training.fitting.helped import AS_THEY_CAME, WORDS
from training.fitting.splits import BEFORE, JUDGED
from training.fitting.uncertainty import MODELS
from training.measures.evaluate import PER_LIST, SHARES, TIMES
from training.papers.kinds import kind, sentence
from training.papers.material import Material
from training.papers.paper import PaperTable, Value
from training.papers.tables import calibration, candidates, capacity, groups, leads, themes
from training.papers.used import counted, days_used, protected_groups

MITIGATIONS = [
    "Scores only order a list for people to review, and decide nothing. Each score comes with its reasons and the records behind them.",
    "Ethnicity, sex, language, religion and free school meals are not features. How well other features predict these groups is measured.",
    "A model is promoted only if it passes every gate and a person other than its trainer approves it with a reason. Every promotion is logged and can be rolled back.",
    "Every access to a score is audited. Logs, metrics and URLs contain no identifiers.",
]
PARTS_ARE_LEARNED = "Where a window was not fully known, the part that was known is learned from; children who had not gone missing in it count by the share of outcomes that begin so early. Models are judged on whole windows only."
OUT_OF_SCOPE = [
    "Any automated decision about a child.",
    "Use by schools, the police, immigration or benefits, and ranking schools or staff.",
    "Judging whether a child is safe: a low score does not show that.",
    "Children who are on no roll or have no records here.",
]


def values(m: Material) -> dict[str, Value]:
    """Return the card's values by ``section.field``, except those from the authority's facts."""
    man, figures = m.manifest, m.figures
    present = [t.name for t in m.tables]
    settings = ", ".join(f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in m.settings.items())
    parts = {
        "ridge": f"ridge regression of strength {man.ridge.get('strength', 0):g}",
        "booster": f"LightGBM ({settings})",
    }
    algorithm = sentence(" and ".join(parts[part] for part in man.parts))
    capacities = ", ".join([*(f"{s:.1%}" for s in SHARES), *(f"{n} of each list" for n in PER_LIST)])
    audited_groups = (
        PaperTable(("group", "known from"), tuple(protected_groups(present))) if m.report.get("fairness") else None
    )
    return {
        "details.date": m.on.isoformat(),
        "details.version": m.title,
        "details.type": f"{sentence(kind(man))}, with two-parameter calibration; exact contributions of each feature to each score.",
        "details.algorithm": [
            f"{algorithm}; {len(man.features)} features of these themes: {themes(man.features)}.",
            f"{sentence(m.adopted)}. Seed {man.seed}; onroll {man.code_version}."
            if m.adopted
            else f"Chosen from {len(man.metrics)} candidates over {len(m.splits.origins)} origins: {m.choice}. Seed {man.seed}; onroll {man.code_version}.",
            f"Digests: histories {man.data_digest[:16]}, features {man.catalogue_digest[:16]}; run {m.run_id or 'not tracked'}.",
        ],
        "details.resources": "docs/judging.md and docs/features.md of onroll. In this folder: the transparency record, the annex on the data used, and the report if the run wrote one.",
        "intended_use.primary": f"Ranks the children on an authority's rolls by their risk of going missing within {man.horizon_days} days, so that people can look at a few of them early. "
        f"Missing means: {m.task.definition.title}. {m.task.definition.text}",
        "intended_use.out_of_scope": OUT_OF_SCOPE,
        "factors.relevant": "Sex, ethnicity (Gypsy/Roma and Irish Traveller children separately), first language, free school meals, special educational needs, social care, deprivation of the area, "
        "authority, and pairs of these; whether the training data includes the child; how completely an authority records.",
        "factors.evaluated": audited_groups,
        "metrics.measures": [
            "Average precision: how high on the list the children who went missing rank, over all lengths of the list.",
            f"Precision, recall, lift and number reviewed per child found, at a team's capacity: {capacities}.",
            "Calibration slope and intercept; by group also the listing rate and the false listing rate.",
        ],
        "metrics.thresholds": "No threshold triggers a decision. "
        + "; ".join(f"band {b['name']}: risk of at least {b['at_least']:.2%}" for b in man.bands)
        + ". These limits are shares of the training cohort, at most "
        + ", ".join(f"{ceiling:.0%} ({name})" for name, ceiling in bands.CEILINGS.items())
        + ". Bands by capacity are the first "
        + ", ".join(f"{bands.share_text(name)} ({name})" for name, _ in bands.SHARES)
        + " of an authority's children on the day, whatever their risks.",
        "metrics.variation": f"95% intervals over {TIMES} resamples of pupils, each with all of its snapshots; leads are paired on the same resamples. Interval of a risk: resampled calibration, {MODELS} "
        "models trained on resampled pupils, and how far the rates of terms lie from one calibration, by range of risks. It is for the rate among children with such a score, not for one child.",
        "evaluation_data.datasets": f"{counted(figures['snapshots'])} snapshots of {', '.join(map(str, m.splits.test))}, of which {counted(figures['positives'])} went missing.",
        "evaluation_data.motivation": f"At most the {JUDGED} newest days with known outcomes. Models are evaluated as they would be used: trained before a day, then predicting it.",
        "evaluation_data.preprocessing": "Only records from before each day count, with corrections as known then. A window that is not fully known has no label; it is left out and never counted as negative.",
        "training_data.datasets": _trained_on(m),
        "training_data.time": PaperTable(
            ("made before", "recalibrated on" if man.parent else "trained on", "used for"), origins(m)
        ),
        "training_data.preprocessing": f"Features as in the annex; missing values stay missing. The first {'predicted day serves' if man.parent else f'{BEFORE} predicted days serve'} only for calibration."
        + (
            " To save memory, children who did not go missing were sampled. They are weighted, also in figures by group."
            if m.sampled
            else ""
        )
        + (f" {PARTS_ARE_LEARNED}" if learns_from_parts(man) else "")
        + (f" {WORDS[m.task.helped]}" if m.helped or m.task.helped != AS_THEY_CAME else ""),
        "quantitative.candidates": candidates(m),
        "quantitative.leads": leads(m),
        "quantitative.capacity": capacity(m),
        "quantitative.calibration": calibration(m),
        "quantitative.groups": groups(m),
        "quantitative.pairs": groups(m, "pairs"),
        "ethics.sensitive_data": "Records of social care and special educational needs are features. Ethnicity, sex, first language and free school meals are used for evaluation only. "
        "Records stay in the histories; the model, its papers and MLflow hold none.",
        "ethics.human_life": "The authority may contact a listed child's family. A child whom the list misses may go without help.",
        "ethics.mitigations": MITIGATIONS,
        "caveats.limits": man.limits,
        "caveats.recommendations": [
            "Use it with what schools and families say. Monitor the records, the risks and the outcomes each week, and retrain each term.",
            "Help changes outcomes: evaluate a list together with what was done for the children on it.",
        ],
    }


def learns_from_parts(manifest: Manifest) -> bool:
    """Return whether a model trained here also learned from windows that were not fully known."""
    return bool(manifest.part_days) and not manifest.parent


def _trained_on(m: Material) -> str:
    man = m.manifest
    until = f", excluding everything recorded on or after {man.until}" if man.until else ""
    children = f"{counted(m.children)} children of {m.authorities} authorities"
    if man.parent:
        days = days_used(man.whole_days, man.part_days) if man.trained_on else "0 days"
        return (
            f"Trained by another authority on {days}; recalibrated here on {children}{until}; "
            f"{man.base_rate:.3%} of the snapshots here went missing."
        )
    days = days_used(man.whole_days, ()) if man.trained_on else "0 days"
    whole = f"{children} on {days}{until}; {man.base_rate:.3%} of the snapshots went missing."
    if not man.part_days:
        return whole
    later = f"{len(man.part_days)} later days, {man.part_days[0]} to {man.part_days[-1]}"
    return f"{whole} Neither figure counts the days whose windows are known only in part, which are learned from too: {later}."


def origins(m: Material) -> tuple[tuple[str, ...], ...]:
    """Return, for each origin, the days its model was trained on and the use of its predictions."""
    rows = [
        (str(o.day), days_used(o.learned, o.partly), "judging" if o.judged else "calibration") for o in m.splits.origins
    ]
    dates = m.splits.dates
    return (*rows, ("released", days_used(dates, m.splits.later), "scoring")) if dates else ()
