"""The model card: the values that come from the run."""

from __future__ import annotations

from training.fitting.splits import BEFORE, JUDGED
from training.fitting.uncertainty import BOOSTERS
from training.measures.evaluate import PER_LIST, SHARES, TIMES
from training.papers.material import Material
from training.papers.paper import PaperTable, Value
from training.papers.tables import calibration, candidates, capacity, groups, leads, themes
from training.papers.used import counted, protected_groups

MITIGATIONS = [
    "A score orders a list for people to look at, and decides nothing; each comes with its reasons and the records behind them.",
    "Ethnicity, sex, language, religion and free school meals are not features; how well others stand in for them is measured.",
    "A model is promoted only by declared gates, with a reason and by somebody else than who trained it; every move is logged and can be taken back.",
    "Who read which score is audited; identifiers are in no log, metric or address.",
]
OUT_OF_SCOPE = [
    "Any decision about a child without a person.",
    "Schools' own use, police, immigration, benefits, or ranking schools or staff.",
    "Telling whether a child is safe: a low score does not.",
    "Children who are on no roll, or of whom nothing is recorded here.",
]


def values(m: Material) -> dict[str, Value]:
    """Return the card's values by ``section.field``, except those from the authority's facts."""
    man, figures = m.manifest, m.figures
    days = f"{man.trained_on[0]} to {man.trained_on[-1]}" if man.trained_on else ""
    present = [t.name for t in m.tables]
    settings = ", ".join(f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in m.settings.items())
    capacities = ", ".join([*(f"{s:.1%}" for s in SHARES), *(f"{n} of each list" for n in PER_LIST)])
    audited_groups = (
        PaperTable(("group", "known from"), tuple(protected_groups(present))) if m.report.get("fairness") else None
    )
    return {
        "details.date": m.on.isoformat(),
        "details.version": m.title,
        "details.type": "Gradient-boosted trees with two-parameter calibration; exact contributions of each feature to each score.",
        "details.algorithm": [
            f"LightGBM ({settings}); {len(man.features)} features of these themes: {themes(man.features)}.",
            f"Chosen among {len(man.metrics)} candidates by its regret over {len(m.splits.origins)} origins. Seed {man.seed}; onroll {man.code_version}.",
            f"Digests: histories {man.data_digest[:16]}, features {man.catalogue_digest[:16]}; run {m.run_id or 'not tracked'}.",
        ],
        "details.resources": "docs/judging.md and docs/features.md of onroll; beside this card: the transparency record, the annex of the data used, and the report where the run wrote one.",
        "intended_use.primary": f"Orders the children of an authority's rolls by how likely they are to go missing within {man.horizon_days} days, so that people can look at a few of them early. "
        f"Missing means: {m.task.definition.title}. {m.task.definition.text}",
        "intended_use.out_of_scope": OUT_OF_SCOPE,
        "factors.relevant": "Sex, ethnicity (Gypsy/Roma and Irish Traveller shown apart), first language, free school meals, special educational needs, social care, deprivation of the area, "
        "authority, and pairs of these; whether a child was seen in training; how fully an authority records.",
        "factors.evaluated": audited_groups,
        "metrics.measures": [
            "Average precision: how high on the list those who went missing stand, over all lengths of it.",
            f"Precision, recall, lift and number looked into for one found, at what a team can look into: {capacities}.",
            "Calibration slope and intercept; by group also listing rate and the share wrongly listed.",
        ],
        "metrics.thresholds": "None decides. "
        + "; ".join(f"band {b['name']}: risk of at least {b['at_least']:.2%}" for b in man.bands)
        + ". Bands were fixed in training from shares of the cohort.",
        "metrics.variation": f"95% intervals over {TIMES} resamples of pupils, each with all of its snapshots; leads in pairs on the same resamples. Interval of a risk: resampled calibration and {BOOSTERS} "
        "boosters that learned from resampled pupils; it is of the rate among children with such a score, not of one child.",
        "evaluation_data.datasets": f"{counted(figures['snapshots'])} snapshots of {', '.join(map(str, m.splits.test))}, of which {counted(figures['positives'])} went missing.",
        "evaluation_data.motivation": f"The {JUDGED} newest days (at most) whose outcomes are known, so that a model is judged as it would have been used: made before the day, asked on it.",
        "evaluation_data.preprocessing": "Only what was recorded before each day counts, corrections as they were known. A window that is not fully known has no label and is left out, never taken for a negative.",
        "training_data.datasets": f"{counted(m.children)} children of {m.authorities} authorities on {len(man.trained_on)} days, {days}"
        + (f", with nothing recorded on or after {man.until}" if man.until else "")
        + f"; {man.base_rate:.3%} of the snapshots went missing.",
        "training_data.time": PaperTable(("made before", "learned from", "used for"), origins(m)),
        "training_data.preprocessing": f"Features as in the annex; what is missing stays missing. The first {BEFORE} days asked about only calibrate."
        + (
            " Memory was short: children who did not go missing were sampled; each counts for as many as it stands for, in groups too."
            if m.sampled
            else ""
        ),
        "quantitative.candidates": candidates(m),
        "quantitative.leads": leads(m),
        "quantitative.capacity": capacity(m),
        "quantitative.calibration": calibration(m),
        "quantitative.groups": groups(m),
        "quantitative.pairs": groups(m, "pairs"),
        "ethics.sensitive_data": "Records of social care and special educational needs are features; ethnicity, sex, first language and free school meals are used for judging only. "
        "The records themselves stay in the histories; model, papers and tracking hold none.",
        "ethics.human_life": "A listed child and family may be contacted by the authority. A child who is missed may go without help that this list could have brought.",
        "ethics.mitigations": MITIGATIONS,
        "caveats.limits": man.limits,
        "caveats.recommendations": [
            "Read it beside what schools and families say. Watch what is recorded, the risks and the outcomes each week, and train again each term.",
            "Attention changes outcomes: judge a list together with what was done for the listed.",
        ],
    }


def origins(m: Material) -> tuple[tuple[str, ...], ...]:
    """Return, for each origin, the days its model was trained on and the use of its predictions."""
    rows = [
        (
            str(o.day),
            f"{len(o.learned)} days, {o.learned[0]} to {o.learned[-1]}",
            "judging" if o.judged else "calibration",
        )
        for o in m.splits.origins
    ]
    dates = m.splits.dates
    return (*rows, ("released", f"{len(dates)} days, {dates[0]} to {dates[-1]}", "scoring")) if dates else ()
