"""What a list promised beside what came: expected and observed numbers, precision and capture at the team's capacity.

The sum of the risks is the expected number of children who go missing. The number that comes varies by chance alone as a Poisson number does, at
most: a sum of independent outcomes varies a little less (Hodges and Le Cam 1960), brothers and sisters who leave together a little more. Lists of
different weeks share their children, so ranges and intervals over several lists are widened for it (``serving.monitoring.repeated``).
Help that was given changes what comes; none of these figures is the effect of a list.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from serving.monitoring.repeated import observed_design, promised_design
from training.measures.intervals import Interval, observed_over_expected, wilson

OF_ONE = 0.05  # of looks at one number that lie outside the usual range by chance
# At 5% each, up to four of 80 schools are named by chance; at the control limits of funnel plots (Spiegelhalter 2005), one in six looks at all 80 names any.
OF_MANY = 0.002


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Expected beside observed number of children who went missing, among those whose outcome is known.

    Attributes
    ----------
    children : int
        Children with a known outcome; over several lists, once for each list.
    expected : float
        Sum of their risks.
    usual : tuple of int
        The range in which the observed number lies 95 times in 100 if the risks are right; 998 times in 1,000 for each of many places.
    observed : int
    ratio : Interval or None
        Observed over expected, with Byar's 95% interval.
    expected_children : float
        How many different children ``expected`` stands for: a child on several lists counts about once.
    """

    children: int
    expected: float
    usual: tuple[int, int]
    observed: int
    ratio: Interval | None
    expected_children: float

    @property
    def kept(self) -> bool:
        """Whether the observed number is within the usual range."""
        return self.usual[0] <= self.observed <= self.usual[1]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {**asdict(self), "kept": self.kept}


@dataclass(frozen=True, kw_only=True)
class AtCapacity:
    """The first children of lists, as many as the team has capacity for.

    Attributes
    ----------
    capacity : int
        Children a week; over several lists, the largest.
    listed : int
        First children of the lists with a known outcome.
    promised : float or None
        Their mean risk: the share of them that is expected to go missing.
    found, missing : int
        Of them, and of all children with a known outcome (scored or not), those who went missing.
    precision, capture : Interval or None
        ``found`` as a share of ``listed`` and of ``missing``.
    expected_children : float
        How many different children were expected to go missing among the first.
    """

    capacity: int
    listed: int
    promised: float | None
    found: int
    missing: int
    precision: Interval | None
    capture: Interval | None
    expected_children: float

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return asdict(self)


def poisson_range(expected: float, outside: float = OF_ONE) -> tuple[int, int]:
    """Return the central range of a Poisson number: 95%, or all but the share ``outside``.

    Examples
    --------
    >>> poisson_range(10.0), poisson_range(0.0), poisson_range(1000.0)
    ((4, 17), (0, 0), (938, 1062))
    >>> poisson_range(10.0, OF_MANY)
    (2, 21)
    """
    if expected <= 0:
        return 0, 0
    n = np.arange(int(expected + 12 * np.sqrt(expected)) + 20)
    log_factorial = np.r_[0.0, np.cumsum(np.log(n[1:]))]
    below = np.cumsum(np.exp(n * np.log(expected) - expected - log_factorial))
    return int(np.searchsorted(below, outside / 2)), int(np.searchsorted(below, 1 - outside / 2))


def expected_children(known: pl.DataFrame) -> float:
    """Return how many different children were expected to go missing: one on several lists counts about once.

    Parameters
    ----------
    known : polars.DataFrame
        ``pupil_id, as_of, risk, horizon`` of scores whose outcome is known.
    """
    return float(known["risk"].sum()) / promised_design(known)


def compare(scored: pl.DataFrame, outside: float = OF_ONE) -> Comparison:
    """Compare the risks of children with their outcomes.

    Parameters
    ----------
    scored : polars.DataFrame
        ``pupil_id, as_of, risk, label, horizon``; rows without a label take no part.
    outside : float
        How often the observed number lies outside the usual range if the risks are right: less often for each of many places.
    """
    known = scored.filter(pl.col("label").is_not_null())
    risk, labels = known["risk"].to_numpy(), known["label"].to_numpy()
    expected, observed = float(risk.sum()), int(labels.sum())
    promised = promised_design(known)
    widened = max(promised, observed_design(known))
    low, high = poisson_range(round(expected / promised, 9), outside)
    return Comparison(
        children=len(known),
        expected=expected,
        usual=(int(np.floor(low * promised)), int(np.ceil(high * promised))),
        observed=observed,
        # Of children, not of rows: none of 8 children on 8 lists is no more than none of 8.
        ratio=observed_over_expected(observed / widened, expected / widened),
        expected_children=expected_children(known),
    )


def at_capacity(scored: pl.DataFrame, unscored: pl.DataFrame, capacity: int) -> AtCapacity:
    """Return what the first children of lists promised, and what came.

    Parameters
    ----------
    scored : polars.DataFrame
        ``pupil_id, as_of, rank, places, risk, label, horizon``; ``places`` is the capacity of the child's authority.
    unscored : polars.DataFrame
        ``label`` of children of the cohort without a score.
    capacity : int
        To be named beside the figures.
    """
    known = scored.filter(pl.col("label").is_not_null())
    first = known.filter(pl.col("rank") <= pl.col("places"))
    promised = promised_design(first)
    missing = int(known["label"].sum()) + int(unscored["label"].sum())
    found = int(first["label"].sum())
    went = known.filter(pl.col("label") == 1)
    # Captured or not is a property of a child on a list; the same child on several lists is correlated.
    captured = went.with_columns(label=(pl.col("rank") <= pl.col("places")).cast(pl.Float64))
    return AtCapacity(
        capacity=capacity,
        listed=len(first),
        promised=float(first["risk"].mean()) if len(first) else None,  # type: ignore[arg-type]
        found=found,
        missing=missing,
        precision=wilson(found, len(first), max(promised, observed_design(first))),
        capture=wilson(found, missing, observed_design(captured)),
        expected_children=float(first["risk"].sum()) / promised,
    )
