"""Is the list still better than simple ways: its first children beside as many by each of them, on matured lists.

The checklist is the one that models are compared with when they are trained: points for absence, suspensions, moves, social care and the like. A team
without a score would ring those who have already stopped coming, whose deadlines run. All are asked the same question on the same days, and
compared child by child.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from math import comb
from typing import Any, Literal

import polars as pl

from features import matrix
from features.counting.block_cache import BlockStore
from features.outcome.cohort import CohortRule
from features.outcome.stopping import ACT_TODAY
from histories.reading.histories import Histories
from training.fitting.candidates.baselines import CHECKLIST

MAX_DAYS = 4  # newest matured days whose features are computed
LEVEL = 0.05
TIES = "absent_rate_90d"  # of equal points, the child who missed more comes first
MISSED = "unauthorised_rate_28d"  # of those who have stopped coming, the child who missed more without permission comes first
Way = Literal["checklist", "stopped"]


@dataclass(frozen=True, kw_only=True)
class SimpleWay:
    """The first children of matured lists beside as many by a simple way.

    Attributes
    ----------
    way : {"checklist", "stopped"}
        By points, or those first who have already stopped coming (``features.outcome.stopping``).
    days : list of date
    listed, listed_simply : int
        Children with a known outcome among the first, once for each list.
    found, found_simply : int
        Those of them who went missing, by the list and by the simple way.
    children, children_simply : int
        Different children among those.
    only_list, only_simple : int
        Different children who went missing and were among the first of one and never of the other.
    """

    way: Way
    model_version: str
    days: list[date]
    listed: int
    listed_simply: int
    found: int
    found_simply: int
    children: int
    children_simply: int
    only_list: int
    only_simple: int

    @property
    def verdict(self) -> Literal["better", "as_good", "worse"]:
        """What the comparison says, by a sign test over children at 5%."""
        if sign_test(self.only_list, self.only_simple) >= LEVEL:
            return "as_good"
        return "better" if self.only_list > self.only_simple else "worse"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {**asdict(self), "verdict": self.verdict}


def sign_test(one: int, other: int) -> float:
    """Return the two-sided probability of a split at least as uneven if both were equally likely.

    Examples
    --------
    >>> sign_test(6, 0), sign_test(3, 3), sign_test(0, 0)
    (0.03125, 1.0, 1.0)
    """
    n = one + other
    return min(1.0, 2 * sum(comb(n, k) for k in range(min(one, other) + 1)) / 2**n)


def simple_ways(
    histories: Histories,
    version: str,
    scored: pl.DataFrame,
    rule: CohortRule | None = None,
    *,
    kept: BlockStore | None = None,
) -> list[SimpleWay]:
    """Compare a version's matured lists with each simple way; empty if no outcome is known.

    Parameters
    ----------
    scored : polars.DataFrame
        ``pupil_id, as_of, authority, rank, places, list, label`` of the version's matured lists.
    """
    known = scored.filter(pl.col("label").is_not_null())
    days = sorted(known["as_of"].unique().to_list())[-MAX_DAYS:]
    if not days:
        return []
    asked = list(dict.fromkeys([*(name for name, _, _ in CHECKLIST), TIES, MISSED]))
    x = pl.DataFrame(matrix(histories, days, rule=rule, kept=kept)).select("pupil_id", "as_of", *asked)
    both = scored.join(x, on=["pupil_id", "as_of"]).with_columns(_points().alias("points"))
    orders: dict[Way, pl.Expr] = {
        "checklist": pl.struct(-pl.col("points"), _most(TIES), "pupil_id"),
        "stopped": pl.struct((pl.col("list") != ACT_TODAY).fill_null(True), _most(MISSED), _most(TIES), "pupil_id"),
    }
    if not both["list"].count():  # stored by an earlier version
        del orders["stopped"]
    return [_beside(way, order, both, version, days) for way, order in orders.items()]


def _beside(way: Way, order: pl.Expr, both: pl.DataFrame, version: str, days: list[date]) -> SimpleWay:
    place, of_list = (by.rank("ordinal").over("as_of", "authority") for by in (order, pl.col("rank")))
    # Both choose among the scored children who are still in the records, as nobody knows on the day whose outcome will be known.
    both = both.with_columns(
        by_list=of_list <= pl.col("places"), simply=place <= pl.col("places"), went=pl.col("label") == 1
    ).filter(pl.col("label").is_not_null())
    missing = both.filter("went").group_by("pupil_id").agg(pl.col("by_list", "simply").any())
    return SimpleWay(
        way=way,
        model_version=version,
        days=days,
        listed=int(both["by_list"].sum()),
        listed_simply=int(both["simply"].sum()),
        found=len(both.filter("went", "by_list")),
        found_simply=len(both.filter("went", "simply")),
        children=int(missing["by_list"].sum()),
        children_simply=int(missing["simply"].sum()),
        only_list=len(missing.filter(pl.col("by_list") & ~pl.col("simply"))),
        only_simple=len(missing.filter(pl.col("simply") & ~pl.col("by_list"))),
    )


def _most(name: str) -> pl.Expr:
    return -pl.col(name).fill_nan(0.0).fill_null(0.0)


def _points() -> pl.Expr:
    ticked = [
        pl.when(pl.col(name).cast(pl.Float64).fill_nan(0.0).fill_null(0.0) >= least).then(worth).otherwise(0)
        for name, least, worth in CHECKLIST
    ]
    return pl.sum_horizontal(ticked)
