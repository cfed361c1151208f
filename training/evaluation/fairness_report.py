"""The fairness report: printed counts by group, and the figures and gaps computed from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features.groups.groups import BY_NAME
from training.measures.design_effects import Design
from training.measures.intervals import (
    ROUNDING,
    Interval,
    difference,
    observed_over_expected,
    relative_risk,
    rounded_share,
)

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
    """One group, or a pair of groups, as printed; None if hidden or not computable.

    Attributes
    ----------
    groups, values : tuple of str
        One, or two for a pair.
    counts : dict
        ``children, missing, listed, found`` and ``expected``, rounded to 5.
    figures : dict
        Each figure of ``FIGURES`` with its 95% interval.
    gaps : dict
        Each figure against all other children: a difference, or a ratio for ``listing_rate``.
    """

    groups: Key
    values: Key
    counts: dict[str, int | None]
    figures: dict[str, Interval | None]
    gaps: dict[str, Interval | None]

    @property
    def title(self) -> str:
        """The title of the group or pair."""
        pairs = zip(self.groups, self.values, strict=True)
        return ", ".join(BY_NAME[g].title_of(v) if g in BY_NAME else v for g, v in pairs)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        intervals = {
            n: {f: i.to_dict() if i else None for f, i in part.items()}
            for n, part in (("figures", self.figures), ("gaps", self.gaps))
        }
        return {
            "groups": list(self.groups),
            "values": list(self.values),
            "title": self.title,
            "counts": self.counts,
            **intervals,
        }


@dataclass(frozen=True, kw_only=True)
class FairnessReport:
    """The result of ``fairness``.

    Attributes
    ----------
    capacity : float
        Children on each list, or a share of it (below 1).
    overall : Slice
        All children.
    slices : list of Slice
        Every value of every group.
    pairs : list of Slice
        Every pair of values of two groups.
    design : Design
        The design effects that widen the intervals.
    """

    capacity: float
    overall: Slice
    slices: list[Slice]
    pairs: list[Slice]
    design: Design

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            "capacity": self.capacity,
            "design": self.design.to_dict(),
            "figures": FIGURES,
            "overall": self.overall.to_dict(),
            "groups": [s.to_dict() for s in self.slices],
            "pairs": [s.to_dict() for s in self.pairs],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FairnessReport:
        """Rebuild a report from ``to_dict``, without its pairs; figures and gaps are recomputed from the printed counts."""
        design, total = Design(**data["design"]), dict(data["overall"]["counts"])
        slices = [
            Slice(
                groups=tuple(s["groups"]),
                values=tuple(s["values"]),
                counts=s["counts"],
                figures=figures_of(s["counts"], design),
                gaps=gaps_of(s["counts"], total, design),
            )
            for s in data["groups"]
        ]
        return cls(
            capacity=float(data["capacity"]),
            overall=Slice(groups=(), values=(), counts=total, figures=figures_of(total, design), gaps={}),
            slices=slices,
            pairs=[],
            design=design,
        )

    def measured(self, figure: str) -> list[Slice]:
        """Return the groups whose gap in a figure could be measured; a gate fails if there are none."""
        return [s for s in self.slices if s.gaps.get(figure) is not None]

    def beyond(self, limits: Mapping[str, float]) -> list[tuple[Slice, str]]:
        """Return the groups and figures whose gap exceeds a limit with its whole 95% interval.

        Parameters
        ----------
        limits : mapping
            The largest allowed gap by figure: a difference of shares (0.1), or for ``listing_rate`` and ``calibration`` a ratio above 1
            (1.25) that applies in both directions.
        """
        out = []
        for figure, limit in limits.items():
            low, high = (1 / limit, limit) if figure in ("listing_rate", "calibration") else (-limit, limit)
            out += [
                (s, figure) for s in self.measured(figure) if (g := s.gaps[figure]) and (g.high < low or g.low > high)
            ]
        return out


def figures_of(counts: Mapping[str, int | None], design: Design) -> dict[str, Interval | None]:
    """Return every figure of ``FIGURES`` computed from printed counts; None if a count is hidden."""
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


def gaps_of(
    counts: Mapping[str, int | None], total: Mapping[str, int | None], design: Design
) -> dict[str, Interval | None]:
    """Return each figure's gap against all other children."""
    others = {c: _less(total[c], counts[c]) for c in counts}
    figures, rest = figures_of(counts, design), figures_of(others, design)
    gaps: dict[str, Interval | None] = {
        f: difference(a, b) if (a := figures[f]) and (b := rest[f]) else None
        for f in ("recall", "precision", "false_listing_rate")
    }
    n, of, on, o = counts["children"], counts["listed"], others["children"], others["listed"]
    gaps["listing_rate"] = (
        relative_risk(of, n, o, on, design=design.of_others, rounding=ROUNDING) if n and of and on and o else None
    )
    # Calibration is compared with 1, not with the other children.
    gaps["calibration"] = figures["calibration"]
    return gaps


def _less(whole: int | None, part: int | None) -> int | None:
    return None if whole is None or part is None else max(whole - part, 0)


def _share(part: int | None, of: int | None, design: float) -> Interval | None:
    return None if part is None or not of or part > of else rounded_share(part, of, design)
