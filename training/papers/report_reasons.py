"""The section of the report on how the model reasons: beeswarm, dependence and a made-up child, in shap's pictures with their figures as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from features.groups.disclosure import HIDDEN
from training.made_up_child import STORY
from training.papers import shap_pictures
from training.papers.material import Material
from training.papers.paper import PaperTable
from training.papers.part import ReportSection
from training.papers.shap_pictures import plain

FEATURES_OF_CHILD = 12  # of the made-up child; the others are added up
NOBODY = (
    "The pictures of contributions show {children:,} children of {day}, drawn at random. A point of a beeswarm usually is a child. Here it is the mean of {of} children, "
    "so that the report can be shared: for each feature on its own, children are ordered by the contribution, and each {of} neighbours are averaged. The outermost points are "
    "therefore milder than the outermost children. A value is grey, and "
    + HIDDEN
    + " in the table, if it is mostly missing or would tell how many of the {of} children have it."
)
READ = "A contribution is an exact Shapley value in log-odds, before calibration: 0.7 doubles the odds, -0.7 halves them. It says how the model reasons, not what causes what."


def reasons(m: Material) -> ReportSection | None:
    """Show how features move scores; None if the run did not explain scores."""
    shown, child = m.report.get("shown"), m.report.get("made_up_child")
    if not shown or not child:
        return None
    text = [READ, NOBODY.format(of=shown["children_a_point"], children=shown["children"], day=shown["day"])]
    pictures, tables = [], []
    points = {name: p for name, p in shown["beeswarm"].items() if len(p["contribution"]) > 1}
    if points:
        pictures.append(shap_pictures.beeswarm(points, shown["children_a_point"]))
        tables.append(("The beeswarm as a table, in log-odds", beeswarm_table(points)))
    for name, bins in shown["dependence"].items():
        if len(bins) > 1:
            pictures.append(shap_pictures.dependence(name, bins))
            tables.append((f"By value: {plain(name)}", dependence_table(bins)))
    text.append(
        f"The waterfall is of a made-up child: {STORY[0].lower()}{STORY[1:]}. Its risk is {child['risk']:.1%} ({child['risk_low']:.1%} to {child['risk_high']:.1%}). It has no schoolmates, so the rates of its school are missing."
    )
    pictures.append(shap_pictures.waterfall(explanation_of(child), FEATURES_OF_CHILD, text[-1]))
    tables.append(("The made-up child's score", waterfall_table(child)))
    return ReportSection(title="How the model reasons", text=text, pictures=pictures, tables=tables)


def beeswarm_table(points: Mapping[str, Mapping[str, Sequence[float | None]]]) -> PaperTable:
    """Return the lowest, middle and highest points of each feature, with the values they have."""
    rows = []
    for name, p in points.items():
        last = len(p["contribution"]) - 1
        cells = [
            f"{p['contribution'][k]:+.2f} at {HIDDEN if p['value'][k] is None else _value(p['value'][k])}"
            for k in (0, last // 2, last)
        ]
        rows.append((plain(name), *cells))
    return PaperTable(("feature", "lowest point, at value", "middle", "highest"), tuple(rows))


def dependence_table(bins: Sequence[Mapping[str, Any]]) -> PaperTable:
    """Return the mean contribution by value."""
    rows = [
        (
            _value(b["value"]),
            f"{b['contribution']:+.2f}",
            f"{b['spread']:.2f}",
            f"{b['children']:,}",
        )
        for b in bins
    ]
    headers = (
        "mean value",
        "mean contribution in log-odds",
        "standard deviation",
        "children in the sample, rounded to 5",
    )
    return PaperTable(headers, tuple(rows))


def waterfall_table(child: Mapping[str, Any]) -> PaperTable:
    """Return the made-up child's strongest features, the sum of the others, and the score they add up to."""
    ordered = sorted(child["contributions"].items(), key=lambda pair: -abs(pair[1]))
    first, others = ordered[: FEATURES_OF_CHILD - 1], ordered[FEATURES_OF_CHILD - 1 :]
    rows = [("mean over children (base)", "", f"{child['base']:+.2f}")]
    rows += [(plain(name), _value(child["values"][name]), f"{part:+.2f}") for name, part in first]
    rows += [(f"{len(others)} other features", "", f"{sum(part for _, part in others):+.2f}")]
    rows += [("score, in log-odds before calibration", "", f"{child['margin']:+.2f}")]
    return PaperTable(("feature", "value", "contribution"), tuple(rows))


def explanation_of(child: Mapping[str, Any]) -> Any:
    """Return the made-up child's contributions as a row of ``shap.Explanation``."""
    import shap

    values = [np.nan if v is None else round(v, 2) for v in child["values"].values()]
    return shap.Explanation(
        values=np.array(list(child["contributions"].values())),
        base_values=child["base"],
        data=np.array(values, dtype=float),
        feature_names=[plain(name) for name in child["values"]],
    )


def _value(value: float | None) -> str:
    return "missing" if value is None else f"{value:.3g}"
