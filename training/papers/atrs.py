"""The algorithmic transparency record: the values that come from the run."""

from __future__ import annotations

from training.papers.kinds import kind, sentence
from training.papers.material import Material
from training.papers.model_card import OUT_OF_SCOPE
from training.papers.paper import Value
from training.papers.tables import candidates, capacity, tables_used
from training.papers.used import counted, parts_used, protected_groups

SENSITIVE = "Used for training: special educational needs and social care, which concern health and family life. Used for evaluation only: {judged}. Not held: religion, nationality, immigration status."


def values(m: Material) -> dict[str, Value]:
    """Return the record's values by ``section.field``, except those from the authority's facts."""
    man, tables = m.manifest, [t.name for t in m.tables]
    named = ", ".join(tables)
    judged = ", ".join(title.lower() for title, table in protected_groups(tables) if table in ("pupils", "fsm"))
    sensitive = SENSITIVE.format(judged=judged or "nothing")
    one = f"Risk that a child on a roll goes missing from education within {man.horizon_days} days"
    return {
        "metadata.id": f"{man.name}-{m.run_id[:8] or m.on}",
        "metadata.standard_version": "3",
        "metadata.date_completed": m.on.isoformat(),
        "metadata.date_updated": m.on.isoformat(),
        "metadata.date_archived": "not archived",
        "metadata.capability": "Scoring and ranking, with explanations",
        "metadata.task": one,
        "tier_1.name": "Children likely to go missing from education (onroll)",
        "tier_1.description": "Each week the tool ranks children on school rolls by their risk of going missing from education, with reasons, so that officers can look at a few of them early. "
        "It makes no decision about a child; a person decides what to do.",
        "rationale.detailed_description": [
            "From dated school, admissions and children's services records it computes features of each child as of a day, using only what was recorded before that day. A model trained on earlier years turns them "
            "into a risk with an interval, a rank in the authority, and reasons in plain English with the records behind them.",
            f"Missing means: {m.task.definition.title}. {m.task.definition.text}",
        ],
        "rationale.scope": [
            "Children on a roll as of the day, within the ages of the cohort rule, without an open case.",
            *OUT_OF_SCOPE,
        ],
        "rationale.alternatives": [
            f"Compared on the same days: {', '.join(r[0] for r in candidates(m).rows)}; figures in the model card.",
            "One of them uses schools and areas alone.",
        ]
        if man.metrics
        else None,
        "decisions.provided_information": "For each listed child: rank, band, risk as about 1 in N with the interval of the rate among children with such a score, reasons by theme in sentences, factors that lower the risk, the dated records behind them, which tables were missing, "
        "and the model's version. Beside the list: how many such children went missing, and how many the list misses.",
        "specification.architecture": "Histories are files in the authority's own store; features are computed by SQL on them; models are text files with checksums, tracked in MLflow; an HTTP service and pages serve scores behind keys and roles, and every access is audited.",
        "model.name": man.name,
        "model.version": m.version,
        "model.task": one,
        "model.input": f"{len(man.features)} numbers about a child as of a day, from {named}; listed in the annex of the data used."
        if tables
        else None,
        "model.output": "A risk between 0 and 1 with the 95% interval of the rate among children with such a score, a rank, a band, and each feature's contribution in log-odds.",
        "model.architecture": f"{sentence(kind(man))}, monotone in the features for which the catalogue declares a direction; two-parameter logistic calibration.",
        "model.performance": capacity(m),
        "model.datasets": tables_used(m),
        "model.purposes": _purposes(m),
        "development_data.description": f"Dated records of children known to {m.authorities} authorities: {named}."
        if tables
        else None,
        "development_data.modality": "Tables of dates, codes and whole numbers; no text, image or sound.",
        "development_data.quantities": f"{counted(m.children)} children, {len(man.whole_days)} days{parts_used(man.part_days)}, {counted(m.figures['positives'])} snapshots of the test dates that went missing; the annex gives the rows of each table.",
        "development_data.sensitive_attributes": sensitive,
        "development_data.completeness": [
            "Children in independent schools, educated at home or new to the authority have few records or none. Authorities record differently and late: outcomes count from the day on which they were known.",
            "Missing tables: "
            + (", ".join(missing(m)) or "none")
            + "; their features are treated as missing, not as zero.",
        ],
        "development_data.cleaning": "Every row is checked by rules with codes (onroll check). A correction applies from the day it was recorded. Nothing is imputed.",
        "operational_data.sources": f"The same tables, as of the day: {named}." if tables else None,
        "operational_data.sensitive_attributes": sensitive,
        "operational_data.processing": "Features as of the day, margins of the model, calibration, ranks in each authority, contributions, reasons and their records. Only records from before the day are used.",
    }


def _purposes(m: Material) -> str | None:
    man = m.manifest
    if not man.trained_on:
        return None
    days = f"Training on {len(man.whole_days)} days ({man.whole_days[0]} to {man.whole_days[-1]}){parts_used(man.part_days)}"
    if man.parent:
        return f"{sentence(m.adopted)}. {days} by the other authority; recalibration and evaluation here on {', '.join(map(str, m.splits.test))}."
    return f"{days}; evaluation on {', '.join(map(str, m.splits.test))}; calibration on the days before these."


def missing(m: Material) -> list[str]:
    """Return the tables that features need and that are absent."""
    sources = {s for f in m.manifest.catalogue for s in f["sources"]}
    return sorted(sources - {t.name for t in m.tables})
