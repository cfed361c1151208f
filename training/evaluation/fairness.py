"""Fairness at the operating capacity: who is listed, found, missed and wrongly listed, by group and by pairs of groups.

The report adjusts nothing. Each group has four counts: children, those who went missing, those listed, and those listed who went
missing. Counts are printed under the rules of ``features.groups.disclosure``, and all figures are computed from the printed counts.
If snapshots were sampled, counts are weighted, intervals include the effect of sampling (``training.measures.design_effects``), and
the unweighted counts, which are never larger, decide what is hidden.

fairlearn's ``MetricFrame`` gives the same counts (a test compares them). Polars is about a hundred times faster, and the counts must
be hidden and rounded before figures are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl

from features.groups.disclosure import ALL, SMALLEST, cross, partition, rounded, sums
from features.groups.groups import BY_NAME, PROTECTED
from training.evaluation.fairness_report import COUNTS, FairnessReport, Key, Slice, figures_of, gaps_of
from training.measures.design_effects import Design
from training.measures.metrics import numbers, share_listed


def fairness(
    snapshots: pl.DataFrame,
    scores: np.ndarray,
    labels: np.ndarray,
    groups: pl.DataFrame,
    capacity: float,
    *,
    weight: np.ndarray | None = None,
    pairs: bool = True,
    seed: int = 1,
) -> FairnessReport:
    """Report how a list of the given capacity falls on groups of children.

    Parameters
    ----------
    snapshots : polars.DataFrame
        ``pupil_id, as_of, authority``, one row per score.
    scores : float array, shape (rows,)
        Calibrated risks; the highest are listed.
    labels : float array of 0 and 1, shape (rows,)
    groups : polars.DataFrame
        ``pupil_id, as_of`` and columns of groups (``features.groups.groups.grouped``).
    capacity : float
        Children on each list (one authority on one day), or a share of it (below 1).
    weight : float array, shape (rows,), optional
        Weight of each row; 1 for those with the outcome (``training.fitting.sampling``).
    pairs : bool
        Whether to evaluate pairs of protected groups too.
    """
    names = [c for c in groups.columns if c not in ("pupil_id", "as_of")]
    weight = np.ones(len(scores)) if weight is None else weight
    on = share_listed(scores, numbers(snapshots, "authority", "as_of"), capacity, seed, weight)
    frame = snapshots.select("pupil_id", "as_of", "authority").with_columns(
        pl.Series("label", labels, pl.Float64),
        pl.Series("expected", scores, pl.Float64),
        pl.Series("weight", weight, pl.Float64),
        pl.Series("on", on),
    )
    of = groups.rename({n: f"group:{n}" for n in names})
    frame = frame.join(of, on=["pupil_id", "as_of"], how="left", maintain_order="left")
    design = Design.of(labels, numbers(frame, "pupil_id"), weight, scores)
    everybody = _counted(frame, [])[()]
    few = {c for c, n in (everybody.weighted | everybody.observed).items() if n <= SMALLEST}
    total = {c: None if c in few else rounded(n) for c, n in everybody.weighted.items()}
    overall = Slice(groups=(), values=(), counts=total, figures=figures_of(total, design), gaps={})
    slices, printed = [], {}
    for name in names:
        group_slices = _group(frame, name, total, design)
        printed[name] = {s.values[0]: s.counts for s in group_slices}
        slices += group_slices
    both = list(combinations([n for n in names if n in PROTECTED], 2)) if pairs else []
    return FairnessReport(
        capacity=capacity,
        overall=overall,
        slices=slices,
        pairs=[
            s
            for a, b in both
            for s in _pair(frame=frame, first=a, second=b, printed=printed, total=total, design=design)
        ],
        design=design,
    )


@dataclass(frozen=True)
class _Counted:
    """The counts of one cell: ``weighted``, with the expected number, by the weights of the snapshots; ``observed`` by the snapshots themselves."""

    weighted: dict[str, Any]
    observed: dict[str, int]


def _counted(frame: pl.DataFrame, names: Iterable[str]) -> dict[Key, _Counted]:
    """Return the true counts of each combination of values."""
    weight, label, on = pl.col("weight"), pl.col("label"), pl.col("weight") * pl.col("on")
    # A snapshot that only partly fits on the list counts as that part.
    observed = pl.min_horizontal(on, 1.0)
    whole = {"children": weight, "missing": weight * label, "listed": on, "found": on * label}
    unweighted = {
        "children": pl.col("label").is_not_null(),
        "missing": label,
        "listed": observed,
        "found": observed * label,
    }
    aggregates = [e.sum().round().cast(pl.Int64).alias(c) for c, e in whole.items()]
    aggregates += [
        e.sum().cast(pl.Float64).floor().cast(pl.Int64).alias(f"observed:{c}") for c, e in unweighted.items()
    ]
    aggregates += [(weight * pl.col("expected")).sum().alias("expected")]
    columns = [f"group:{n}" for n in names]
    cells = frame.group_by(columns, maintain_order=True).agg(aggregates) if columns else frame.select(aggregates)
    return {
        tuple(r[c] for c in columns): _Counted(
            {c: r[c] for c in (*COUNTS, "expected")}, {c: r[f"observed:{c}"] for c in COUNTS}
        )
        for r in cells.to_dicts()
    }


def _group(frame: pl.DataFrame, name: str, total: dict[str, int | None], design: Design) -> list[Slice]:
    counted = {k[0]: v for k, v in _counted(frame, [name]).items()}
    group = BY_NAME.get(name)
    within = {v: b for v, b in (group.within if group else {}).items() if v in counted}
    order = [v.name for v in group.values if v.name in counted] if group else []
    order += sorted(set(counted) - set(order))
    wide = {c: sums({v: counted[v].weighted[c] for v in order}, within) for c in (*COUNTS, "expected")}
    observed = {c: sums({v: counted[v].observed[c] for v in order}, within) for c in COUNTS}

    def parted(layer: str, counts: Mapping[str, int], **bounds: Any) -> set[Any]:
        return partition({v: counts[v] for v in order}, within, **bounds)

    hidden = hide_layers({c: {v: n for v, n in observed[c].items() if v != ALL} for c in COUNTS}, parted)
    values = list(dict.fromkeys(x for v in order for x in (within.get(v), v) if x))
    printed = {v: _printed({c: wide[c][v] for c in wide}, {c for c in COUNTS if v in hidden[c]}) for v in values}
    return [
        Slice(
            groups=(name,),
            values=(v,),
            counts=printed[v],
            figures=figures_of(printed[v], design),
            gaps=gaps_of(printed[v], total, design),
        )
        for v in values
    ]


def _pair(
    frame: pl.DataFrame,
    first: str,
    second: str,
    printed: dict[str, dict[str, dict[str, int | None]]],
    total: dict[str, int | None],
    design: Design,
) -> list[Slice]:
    # Use broader values where they exist: counts of the finest pairs are nearly all too small to print.
    for name in (first, second):
        if name in BY_NAME:
            frame = frame.with_columns(pl.col(f"group:{name}").replace(BY_NAME[name].within))
    counted = _counted(frame, [first, second])

    def crossed(layer: str, counts: Mapping[Any, int], sensitive: Iterable[Any] = (), **bounds: Any) -> set[Any]:
        shown = {(v, ALL): c[layer] for v, c in printed[first].items()} | {
            (ALL, v): c[layer] for v, c in printed[second].items()
        }
        unknown = {m for m, n in shown.items() if n is None}
        return cross(counts, printed=shown.keys() - unknown, sensitive={*sensitive, *unknown}, **bounds)

    hidden = hide_layers({c: {k: v.observed[c] for k, v in counted.items()} for c in COUNTS}, crossed)
    out = []
    for key in counted:
        shown_counts = _printed(counted[key].weighted, {c for c in COUNTS if key in hidden[c]})
        out.append(
            Slice(
                groups=(first, second),
                values=key,
                counts=shown_counts,
                figures=figures_of(shown_counts, design),
                gaps=gaps_of(shown_counts, total, design),
            )
        )
    return out


def hide_layers(layers: Mapping[str, Mapping[Any, int]], hide: Callable[..., set[Any]]) -> dict[str, set[Any]]:
    """Return the cells to hide in each of a table's four counts.

    If nearly all children are in a count, the few who are not are disclosive too. So are a few missing who were not listed, or a few
    listed who did not go missing, if their number would bound those found. A printed count bounds the counts within it: ``found`` lies
    within ``missing`` and ``listed``, and both lie within ``children``. A hidden count therefore hides the counts within it in the same
    cell.

    Parameters
    ----------
    layers : mapping
        ``children, missing, listed, found``, each by cell, including broader cells.
    hide : callable
        Takes a layer's name and counts, with ``high`` and ``sensitive``; returns the cells to hide.
    """
    n, p, of, t = (layers[c] for c in COUNTS)
    out = {"children": hide("children", n)}
    unknown = out["children"]
    # If few children are in neither count, the number in both is nearly determined.
    packed = {c for c in n if n[c] - p[c] - of[c] + t[c] <= SMALLEST}
    for name, layer in (("missing", p), ("listed", of)):
        bounding = {c for c in n if t[c] > SMALLEST and layer[c] - t[c] <= SMALLEST}
        out[name] = hide(
            name, layer, high={c: n[c] for c in n if c not in unknown}, sensitive=unknown | bounding | packed
        )
    either = out["missing"] | out["listed"]
    most = {c: min(p[c], of[c]) for c in n if c not in either}
    out["found"] = hide("found", t, high=most, sensitive=either | {c for c in most if most[c] - t[c] <= SMALLEST})
    return out


def _printed(counts: Mapping[str, Any], hidden: set[str]) -> dict[str, int | None]:
    shown: dict[str, int | None] = {c: None if c in hidden else rounded(counts[c]) for c in COUNTS}
    # The expected number is not sensitive, but beside a hidden count it would approximate it.
    expected = rounded(round(counts["expected"]))
    return {**shown, "expected": expected if shown["missing"] is not None and expected else None}
