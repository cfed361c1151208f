"""Two ways of choosing the first children of the same lists, compared child by child.

Only children who went missing and whom one way found and the other did not tell the ways apart, and brothers and sisters of one home count once. If the ways are equally good, each of them is as likely to be
of one as of the other: that gives the sign test, and by the same tails the exact interval (Clopper and Pearson 1934) of how many more homes the list found.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from math import comb
from typing import Any, Literal, TypeAlias

import numpy as np
import polars as pl

from training.measures.intervals import Interval

LEVEL = 0.05
Verdict: TypeAlias = Literal["better", "as_good", "worse"]


@dataclass(frozen=True, kw_only=True)
class Paired:
    """The first children of matured lists beside as many by another way.

    Attributes
    ----------
    days : list of date
    listed, listed_simply : int
        Children with a known outcome among the first, once for each list.
    found, found_simply : int
        Those of them who went missing, by the list and by the other way.
    children, children_simply : int
        Different children among those.
    only_list, only_simple : int
        Homes of which a child who went missing was among the first of one and none of the other: brothers and sisters who leave together are
        found or missed together.
    """

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
    def verdict(self) -> Verdict:
        """What the comparison says of the list, by a sign test over homes at 5%."""
        if sign_test(self.only_list, self.only_simple) >= LEVEL:
            return "as_good"
        return "better" if self.only_list > self.only_simple else "worse"

    @property
    def lead(self) -> Interval:
        """How many more homes the list found, with its 95% interval: 0 lies outside it if and only if the verdict is not ``as_good``."""
        n = self.only_list + self.only_simple
        low, high = share_limits(self.only_list, n)
        return Interval(
            self.only_list - self.only_simple, n * (2 * low - 1) + 0.0, n * (2 * high - 1) + 0.0
        )  # no negative zero

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {**asdict(self), "verdict": self.verdict, "lead": self.lead.to_dict()}


def paired(both: pl.DataFrame) -> Paired:
    """Compare two orders of the same children.

    Parameters
    ----------
    both : polars.DataFrame
        ``pupil_id, home, as_of, by_list, simply`` (whether a child is among the first) and ``label`` of scored children.
    """
    known = both.filter(pl.col("label").is_not_null())
    went = known.filter(pl.col("label") == 1)
    of_child = went.group_by("pupil_id").agg(pl.col("by_list", "simply").any())
    of_home = went.group_by("home").agg(pl.col("by_list", "simply").any())
    return Paired(
        days=sorted(both["as_of"].unique().to_list()),
        listed=int(known["by_list"].sum()),
        listed_simply=int(known["simply"].sum()),
        found=int(went["by_list"].sum()),
        found_simply=int(went["simply"].sum()),
        children=int(of_child["by_list"].sum()),
        children_simply=int(of_child["simply"].sum()),
        only_list=len(of_home.filter(pl.col("by_list") & ~pl.col("simply"))),
        only_simple=len(of_home.filter(pl.col("simply") & ~pl.col("by_list"))),
    )


def sign_test(one: int, other: int) -> float:
    """Return the two-sided probability of a split at least as uneven if both were equally likely.

    Examples
    --------
    >>> sign_test(6, 0), sign_test(3, 3), sign_test(0, 0)
    (0.03125, 1.0, 1.0)
    """
    n = one + other
    return min(1.0, 2 * sum(comb(n, k) for k in range(min(one, other) + 1)) / 2**n)


def share_limits(count: int, of: int) -> tuple[float, float]:
    """Return the exact 95% interval of a share (Clopper and Pearson); 0 to 1 of nothing.

    Examples
    --------
    >>> [round(limit, 3) for limit in share_limits(6, 6)], [round(limit, 3) for limit in share_limits(3, 12)]
    ([0.541, 1.0], [0.055, 0.572])
    """
    low = 0.0 if count == 0 else _solved(lambda p: _at_least(count, of, p) < LEVEL / 2)
    high = 1.0 if count == of else _solved(lambda p: 1 - _at_least(count + 1, of, p) > LEVEL / 2)
    return low, high


def _solved(is_below: Any) -> float:
    """Return where a condition that holds for small shares ceases to hold."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return low


def _at_least(count: int, of: int, p: float) -> float:
    """Return the probability of at least so many of ``of`` draws with chance ``p``."""
    k = np.arange(of + 1)
    log_factorial = np.r_[0.0, np.cumsum(np.log(k[1:]))]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_chance = log_factorial[-1] - log_factorial - log_factorial[::-1] + k * np.log(p) + (of - k) * np.log1p(-p)
    return float(np.exp(log_chance[count:]).sum())
