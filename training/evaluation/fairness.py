"""Fairness at the operating capacity: who is listed, found, missed and wrongly listed, by group and by pairs of groups.

It reports, and adjusts nothing. Four counts are taken of each group: children, those who went missing, those listed, and those listed
who went missing. They are printed under the rules of ``features.groups.disclosure``; all figures are computed from what is printed.
Where snapshots were sampled, each counts for as many as it stands for, intervals are as wide as the sample makes them
(``training.measures.design_effects``), and what is hidden is decided by the snapshots that are there, which are never more.

fairlearn's ``MetricFrame`` gives the same counts (a test holds them together); Polars takes them here, since it is some hundred times
faster and the counts have to be hidden and rounded before a figure is made of them.
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
from training.measures.design_effects import Design
from training.measures.intervals import (
    ROUNDING,
    Interval,
    difference,
    observed_over_expected,
    relative_risk,
    rounded_share,
)
from training.measures.metrics import numbers, share_listed

COUNTS = ("children", "missing", "listed", "found")
FIGURES = {
    "listing_rate": "share of children who are listed",
    "recall": "share of those who went missing who were listed",
    "precision": "share of the listed who went missing",
    "false_listing_rate": "share of those who did not go missing who were listed",
    "calibration": "those who went missing over those expected by the scores",
}
Key = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One group, or a pair of groups, as printed; what is hidden or cannot be computed is None.

    Attributes
    ----------
    groups, values : tuple of str
        One or two of each.
    counts : dict
        ``children, missing, listed, found`` and ``expected``, rounded to 5.
    figures : dict
        A figure of ``FIGURES`` and its 95% interval.
    gaps : dict
        The same against all other children: a difference, for ``listing_rate`` a ratio.
    """

    groups: Key
    values: Key
    counts: dict[str, int | None]
    figures: dict[str, Interval | None]
    gaps: dict[str, Interval | None]

    @property
    def title(self) -> str:
        """What the group, or the pair, is called."""
        pairs = zip(self.groups, self.values, strict=True)
        return ", ".join(BY_NAME[g].title_of(v) if g in BY_NAME else v for g, v in pairs)

    def to_dict(self) -> dict[str, Any]:
        """Return the slice ready for JSON."""
        said = {
            n: {f: i.to_dict() if i else None for f, i in part.items()}
            for n, part in (("figures", self.figures), ("gaps", self.gaps))
        }
        return {
            "groups": list(self.groups),
            "values": list(self.values),
            "title": self.title,
            "counts": self.counts,
            **said,
        }


@dataclass(frozen=True, kw_only=True)
class FairnessReport:
    """What ``fairness`` found.

    Attributes
    ----------
    capacity : float
        Children a list, or below 1 the share of each list.
    overall : Slice
        All children.
    slices : list of Slice
        Every value of every group.
    pairs : list of Slice
        Every pair of values of two groups.
    design : Design
        The effects with which intervals are widened.
    """

    capacity: float
    overall: Slice
    slices: list[Slice]
    pairs: list[Slice]
    design: Design

    def to_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {
            "capacity": self.capacity,
            "design": self.design.to_dict(),
            "figures": FIGURES,
            "overall": self.overall.to_dict(),
            "groups": [s.to_dict() for s in self.slices],
            "pairs": [s.to_dict() for s in self.pairs],
        }

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> FairnessReport:
        """Return the report that ``to_dict`` wrote, without its pairs; every figure and gap is computed anew from the printed counts."""
        design, total = Design(**said["design"]), dict(said["overall"]["counts"])
        slices = [
            Slice(
                groups=tuple(s["groups"]),
                values=tuple(s["values"]),
                counts=s["counts"],
                figures=_figures(s["counts"], design),
                gaps=_gaps(s["counts"], total, design),
            )
            for s in said["groups"]
        ]
        return cls(
            capacity=float(said["capacity"]),
            overall=Slice(groups=(), values=(), counts=total, figures=_figures(total, design), gaps={}),
            slices=slices,
            pairs=[],
            design=design,
        )

    def measured(self, figure: str) -> list[Slice]:
        """Return the groups for which the gap of a figure could be measured at all; a gate that finds none has not been passed."""
        return [s for s in self.slices if s.gaps.get(figure) is not None]

    def beyond(self, limits: Mapping[str, float]) -> list[tuple[Slice, str]]:
        """Return the groups and figures whose gap is surely wider than a limit: its whole 95% interval lies outside.

        Parameters
        ----------
        limits : mapping
            The widest gap by figure: a difference of shares (0.1), or for ``listing_rate`` and ``calibration`` a ratio above 1 (1.25),
            which holds in both directions.
        """
        out = []
        for figure, limit in limits.items():
            low, high = (1 / limit, limit) if figure in ("listing_rate", "calibration") else (-limit, limit)
            out += [
                (s, figure) for s in self.measured(figure) if (g := s.gaps[figure]) and (g.high < low or g.low > high)
            ]
        return out


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
    """Report how a list of some capacity falls on groups of children.

    Parameters
    ----------
    snapshots : polars.DataFrame
        ``pupil_id, as_of, authority``, one row a score.
    scores : float array, shape (rows,)
        Calibrated risks; the list takes the highest.
    labels : float array of 0 and 1, shape (rows,)
    groups : polars.DataFrame
        ``pupil_id, as_of`` and columns of groups (``features.groups.groups.grouped``).
    capacity : float
        Children a list (authority and day), or below 1 the share of each list.
    weight : float array, shape (rows,), optional
        How many snapshots each row stands for: one for those with the outcome (``training.fitting.sampling``).
    pairs : bool
        Whether to look at pairs of protected groups too.
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
    few = {c for c, n in (everybody.told | everybody.there).items() if n <= SMALLEST}
    total = {c: None if c in few else rounded(n) for c, n in everybody.told.items()}
    overall = Slice(groups=(), values=(), counts=total, figures=_figures(total, design), gaps={})
    slices, printed = [], {}
    for name in names:
        made = _group(frame, name, total, design)
        printed[name] = {s.values[0]: s.counts for s in made}
        slices += made
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
    """The counts of one cell: ``told``, with what they expect, are of all whom the snapshots stand for; ``there`` of the snapshots themselves."""

    told: dict[str, Any]
    there: dict[str, int]


def _counted(frame: pl.DataFrame, names: Iterable[str]) -> dict[Key, _Counted]:
    """Return the true counts of each combination of values."""
    weight, label, on = pl.col("weight"), pl.col("label"), pl.col("weight") * pl.col("on")
    # A snapshot of which only a part is on the list is there as that part.
    there = pl.min_horizontal(on, 1.0)
    whole = {"children": weight, "missing": weight * label, "listed": on, "found": on * label}
    own = {"children": pl.col("label").is_not_null(), "missing": label, "listed": there, "found": there * label}
    aggregates = [e.sum().round().cast(pl.Int64).alias(c) for c, e in whole.items()]
    aggregates += [e.sum().cast(pl.Float64).floor().cast(pl.Int64).alias(f"there:{c}") for c, e in own.items()]
    aggregates += [(weight * pl.col("expected")).sum().alias("expected")]
    columns = [f"group:{n}" for n in names]
    made = frame.group_by(columns, maintain_order=True).agg(aggregates) if columns else frame.select(aggregates)
    return {
        tuple(r[c] for c in columns): _Counted(
            {c: r[c] for c in (*COUNTS, "expected")}, {c: r[f"there:{c}"] for c in COUNTS}
        )
        for r in made.to_dicts()
    }


def _group(frame: pl.DataFrame, name: str, total: dict[str, int | None], design: Design) -> list[Slice]:
    counted = {k[0]: v for k, v in _counted(frame, [name]).items()}
    group = BY_NAME.get(name)
    within = {v: b for v, b in (group.within if group else {}).items() if v in counted}
    order = [v.name for v in group.values if v.name in counted] if group else []
    order += sorted(set(counted) - set(order))
    wide = {c: sums({v: counted[v].told[c] for v in order}, within) for c in (*COUNTS, "expected")}
    there = {c: sums({v: counted[v].there[c] for v in order}, within) for c in COUNTS}

    def parted(layer: str, counts: Mapping[str, int], **known: Any) -> set[Any]:
        return partition({v: counts[v] for v in order}, within, **known)

    hidden = hide_layers({c: {v: n for v, n in there[c].items() if v != ALL} for c in COUNTS}, parted)
    values = list(dict.fromkeys(x for v in order for x in (within.get(v), v) if x))
    printed = {v: _printed({c: wide[c][v] for c in wide}, {c for c in COUNTS if v in hidden[c]}) for v in values}
    return [
        Slice(
            groups=(name,),
            values=(v,),
            counts=printed[v],
            figures=_figures(printed[v], design),
            gaps=_gaps(printed[v], total, design),
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
    # Broader values where there are some: of pairs of the finest hardly anything could be printed.
    for name in (first, second):
        if name in BY_NAME:
            frame = frame.with_columns(pl.col(f"group:{name}").replace(BY_NAME[name].within))
    counted = _counted(frame, [first, second])

    def crossed(layer: str, counts: Mapping[Any, int], sensitive: Iterable[Any] = (), **known: Any) -> set[Any]:
        shown = {(v, ALL): c[layer] for v, c in printed[first].items()} | {
            (ALL, v): c[layer] for v, c in printed[second].items()
        }
        unknown = {m for m, n in shown.items() if n is None}
        return cross(counts, printed=shown.keys() - unknown, sensitive={*sensitive, *unknown}, **known)

    hidden = hide_layers({c: {k: v.there[c] for k, v in counted.items()} for c in COUNTS}, crossed)
    out = []
    for key in counted:
        own = _printed(counted[key].told, {c for c in COUNTS if key in hidden[c]})
        out.append(
            Slice(
                groups=(first, second),
                values=key,
                counts=own,
                figures=_figures(own, design),
                gaps=_gaps(own, total, design),
            )
        )
    return out


def hide_layers(layers: Mapping[str, Mapping[Any, int]], hide: Callable[..., set[Any]]) -> dict[str, set[Any]]:
    """Name the cells to hide in each of the four counts of a table.

    Where nearly all children are in a count, the few who are not are as telling; so are the few missing who were not listed, or listed
    who did not go missing, where their number would bound those found. A count that is printed bounds those within it:
    ``found`` lies within ``missing`` and within ``listed``, and both within ``children``. A cell in which a count is hidden hides
    those within it too, so that hidden ones can move together.

    Parameters
    ----------
    layers : mapping
        ``children, missing, listed, found``, each by cell, broader cells among them.
    hide : callable
        From a layer's name and counts, with ``high`` and ``sensitive``, to the cells to hide.
    """
    n, p, of, t = (layers[c] for c in COUNTS)
    out = {"children": hide("children", n)}
    unknown = out["children"]
    # Children who are in neither count, if they are few, leave those who are in both no room.
    packed = {c for c in n if n[c] - p[c] - of[c] + t[c] <= SMALLEST}
    for name, own in (("missing", p), ("listed", of)):
        bounding = {c for c in n if t[c] > SMALLEST and own[c] - t[c] <= SMALLEST}
        out[name] = hide(
            name, own, high={c: n[c] for c in n if c not in unknown}, sensitive=unknown | bounding | packed
        )
    either = out["missing"] | out["listed"]
    most = {c: min(p[c], of[c]) for c in n if c not in either}
    out["found"] = hide("found", t, high=most, sensitive=either | {c for c in most if most[c] - t[c] <= SMALLEST})
    return out


def _printed(counts: Mapping[str, Any], hidden: set[str]) -> dict[str, int | None]:
    shown: dict[str, int | None] = {c: None if c in hidden else rounded(counts[c]) for c in COUNTS}
    # What the scores expect is no secret; but beside a hidden count it would stand in for it.
    expected = rounded(round(counts["expected"]))
    return {**shown, "expected": expected if shown["missing"] is not None and expected else None}


def _figures(counts: Mapping[str, int | None], design: Design) -> dict[str, Interval | None]:
    n, p, of, t, e = (counts[c] for c in (*COUNTS, "expected"))
    calibration = None
    if p and e:
        calibration = observed_over_expected(p, e, design=design.of_ratio + ROUNDING / p + ROUNDING * p / e**2)
    return {
        "listing_rate": _share(of, n, design.of_others),
        "recall": _share(t, p, design.pupils),
        "precision": _share(t, of, design.of_outcomes(t / of) if t and of else design.pupils),
        "false_listing_rate": _share(_less(of, t), _less(n, p), design.of_others),
        "calibration": calibration,
    }


def _gaps(
    counts: Mapping[str, int | None], total: Mapping[str, int | None], design: Design
) -> dict[str, Interval | None]:
    others = {c: _less(total[c], counts[c]) for c in counts}
    own, rest = _figures(counts, design), _figures(others, design)
    gaps: dict[str, Interval | None] = {
        f: difference(a, b) if (a := own[f]) and (b := rest[f]) else None
        for f in ("recall", "precision", "false_listing_rate")
    }
    n, of, on, o = counts["children"], counts["listed"], others["children"], others["listed"]
    gaps["listing_rate"] = (
        relative_risk(of, n, o, on, design=design.of_others, rounding=ROUNDING) if n and of and on and o else None
    )
    # Calibration is held against one, which is what the scores say of everybody.
    gaps["calibration"] = own["calibration"]
    return gaps


def _less(whole: int | None, part: int | None) -> int | None:
    return None if whole is None or part is None else max(whole - part, 0)


def _share(found: int | None, of: int | None, design: float) -> Interval | None:
    return None if found is None or not of or found > of else rounded_share(found, of, design)
