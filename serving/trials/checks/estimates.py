"""How many children below the cut, from those who were drawn: each stands for as many as were not drawn.

The interval of a band is the exact one of a draw without replacement (hypergeometric; Buonaccorsi 1987). Bands are put together by the square
roots of their squared distances (MOVER; Zou and Donner 2008), which with exact limits covers at least as often as it says in all that
was tried (``python -m benchmarks.checks``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import ceil, exp, floor, hypot, inf, lgamma, log10

from features.groups.disclosure import SMALLEST
from training.measures.intervals import Interval

TAIL = 0.025


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """A band of the list.

    Attributes
    ----------
    size : int
        Its children, drawn or not.
    known : int
        Drawn children of whom the answer is known.
    yes : int
        Those of whom it is yes.
    """

    size: int
    known: int
    yes: int


def total(strata: Sequence[Stratum]) -> Interval | None:
    """Return how many children of all bands the answer is yes for, with its 95% interval; None if nothing is known of a band.

    Examples
    --------
    >>> print(total([Stratum(size=1000, known=50, yes=0)]))
    0 (0 to 69)
    """
    if any(s.size and not s.known for s in strata):
        return None
    value = below = above = 0.0
    for s in strata:
        if s.size:
            point, (low, high) = s.size * s.yes / s.known, limits(s.size, s.known, s.yes)
            value, below, above = value + point, hypot(below, point - low), hypot(above, high - point)
    fewest, most = sum(s.yes for s in strata), sum(s.size - s.known + s.yes for s in strata)
    return Interval(value, max(value - below, fewest), min(value + above, most))


@cache
def limits(size: int, known: int, yes: int) -> tuple[int, int]:
    """Return the smallest and the largest number of children in a band with which the draw is not too unlikely.

    Examples
    --------
    >>> limits(1000, 50, 3)
    (14, 162)
    """
    # At most `few` have the answer yes or no among the known, whichever is rarer: sums stay short.
    if 2 * yes > known:
        low, high = limits(size, known, known - yes)
        return size - high, size - low
    low, high = yes, size - known + yes
    lowest = _first(low, high, lambda k: 1 - _at_most(yes - 1, k, size, known) > TAIL) if yes else 0
    first_unlikely = _first(low, high + 1, lambda k: k > high or _at_most(yes, k, size, known) <= TAIL)
    return lowest, first_unlikely - 1


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return the first number from ``low`` for which a condition holds, which then holds for all higher ones; ``high`` if for none below."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _at_most(most: int, among: int, size: int, known: int) -> float:
    """Return the probability that at most ``most`` of the ``among`` are drawn, when ``known`` of ``size`` are."""
    fewest, every = max(0, known - (size - among)), _choices(size, known)
    terms = (
        exp(_choices(among, n) + _choices(size - among, known - n) - every)
        for n in range(fewest, min(most, among, known) + 1)
    )
    return min(sum(terms), 1.0)


def _choices(n: int, k: int) -> float:
    """Return the logarithm of the number of ways to choose ``k`` of ``n``."""
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) if 0 <= k <= n else -inf


def bounds(strata: Sequence[Stratum], drawn: Sequence[int]) -> Interval | None:
    """Return the interval without an assumption about those drawn of whom nothing is known: none of them counts at its lower end, all at its upper.

    Parameters
    ----------
    drawn : sequence of int
        How many were drawn in each band.
    """
    none = total([Stratum(size=s.size, known=n, yes=s.yes) for s, n in zip(strata, drawn, strict=True)])
    every = total([Stratum(size=s.size, known=n, yes=s.yes + n - s.known) for s, n in zip(strata, drawn, strict=True)])
    return Interval(none.value, none.low, every.high) if none and every else None


def shareable(strata: Sequence[Stratum]) -> Interval | None:
    """Return the total as it may be shown to anybody, in two figures; None if its numbers are small.

    Limits are rounded outwards.
    """
    yes, known = sum(s.yes for s in strata), sum(s.known for s in strata)
    found = total(strata)
    if found is None or min(yes, known - yes) <= SMALLEST:
        return None
    return Interval(_figures(found.value, round), _figures(found.low, floor), _figures(found.high, ceil))


def at_most(strata: Sequence[Stratum]) -> float:
    """Return the highest upper end of the interval with few answers yes, however they fall on the bands: it gives away no small number."""
    found = [
        total([Stratum(size=s.size, known=s.known, yes=n) for s, n in zip(strata, yes, strict=True)])
        for yes in product(*(range(min(SMALLEST, s.known) + 1) for s in strata))
        if sum(yes) <= SMALLEST
    ]
    return float(_figures(max((interval.high for interval in found if interval), default=0.0), ceil))


def _figures(number: float, rounding: Callable[[float], float]) -> float:
    """Return a number with two figures.

    Examples
    --------
    >>> _figures(1234.0, floor), _figures(1234.0, ceil), _figures(7.3, round)
    (1200.0, 1300.0, 7.3)
    """
    if number <= 0:
        return 0.0
    digits = 1 - floor(log10(number))
    return round(rounding(number * 10.0**digits) * 10.0**-digits, max(digits, 0))
