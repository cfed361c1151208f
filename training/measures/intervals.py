"""Confidence intervals of shares, relative risks and differences of shares, and of any figure by resampling pupils."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np

Z = 1.959963984540054  # 97.5% point of the normal distribution
ROUNDING = 2.0  # variance of rounding a count to the nearest 5: the mean square of -2, -1, 0, 1, 2


@dataclass(frozen=True)
class Interval:
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Return value, low and high."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


def wilson(count: float, of: float, design: float = 1.0) -> Interval | None:
    """Return a share with its interval; None if the denominator is 0.

    Parameters
    ----------
    count, of : float
        The share is ``count / of``.
    design : float
        Design effect: the share's variance over its binomial variance, above 1 if rows of a pupil are correlated.

    Notes
    -----
    Wilson 1927; Brown, Cai and DasGupta 2001 recommend it for small samples.

    Examples
    --------
    >>> print(wilson(10, 100))
    0.1 (0.0552 to 0.174)
    """
    if of <= 0:
        return None
    share, z2 = min(max(count / of, 0.0), 1.0), Z * Z * design
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = np.sqrt(z2) / (1 + z2 / of) * np.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return Interval(share, float(max(middle - half, 0.0)), float(min(middle + half, 1.0)))


def rounded_share(count: float, of: float, design: float = 1.0) -> Interval | None:
    """Return a share of counts rounded to 5, with an interval that includes the rounding error.

    Rounding adds a variance of 2 to both counts, which acts as a design effect.

    Examples
    --------
    >>> print(rounded_share(10, 100))
    0.1 (0.0519 to 0.184)
    """
    if of <= 0:
        return None
    # A share of exactly 0 or 1 has no binomial variance; use the share half a rounding step away.
    share = min(max(count, 2.5), of - 2.5) / of if of > 5 else 0.5
    return wilson(count, of, design + ROUNDING * (1 + share**2) / (of * share * (1 - share)))


def difference(first: Interval, second: Interval) -> Interval:
    """Return the difference of two independent shares with its interval (Newcombe 1998, method 10).

    Examples
    --------
    >>> print(difference(wilson(56, 70), wilson(48, 80)))
    0.2 (0.0524 to 0.334)
    """
    value = first.value - second.value
    low = np.hypot(first.value - first.low, second.high - second.value)
    high = np.hypot(first.high - first.value, second.value - second.low)
    return Interval(value, float(value - low), float(value + high))


def relative_risk(
    events: float, of: float, peer_events: float, peers: float, *, design: float = 1.0, rounding: float = 0.0
) -> Interval | None:
    """Return a group's rate over its peers' rate with its interval; None if a rate is 0.

    Parameters
    ----------
    events, of, peer_events, peers : float
        Children who went missing and children, in the group and among all others.
    design : float
        Design effect, above 1 if snapshots of a pupil are correlated.
    rounding : float
        Variance that rounding adds to the group's and to the total count (``ROUNDING``, or 0 for exact counts).

    Notes
    -----
    The logarithm of the ratio is treated as normal, with the variance of Katz and others 1978. The peers' count is the rounded total
    minus the group's rounded count, so that an error of the group's count enters twice: as ``e/events`` and as ``e/peer_events``.

    Examples
    --------
    >>> print(relative_risk(22, 1000, 78, 5000))
    1.41 (0.883 to 2.25)
    """
    if min(events, of, peer_events, peers) <= 0:
        return None
    sampling = max(1 / events - 1 / of, 0.0) + max(1 / peer_events - 1 / peers, 0.0)
    counting = (1 / events + 1 / peer_events) ** 2 + 1 / peer_events**2
    spread = Z * np.sqrt(design * sampling + rounding * counting)
    value = (events / of) / (peer_events / peers)
    return Interval(value, float(value * np.exp(-spread)), float(value * np.exp(spread)))


def observed_over_expected(observed: float, expected: float, *, design: float = 1.0) -> Interval | None:
    """Return observed over expected counts with Byar's interval (Breslow and Day 1987); None if the expected count is 0.

    Examples
    --------
    >>> print(observed_over_expected(10, 8.0))
    1.25 (0.598 to 2.3)
    """
    if expected <= 0:
        return None

    def byar(count: float, sign: float) -> float:
        if count <= 0:
            return 0.0
        return max(count * (1 - 1 / (9 * count) + sign * Z * np.sqrt(design) / (3 * np.sqrt(count))) ** 3, 0.0)

    return Interval(observed / expected, float(byar(observed, -1) / expected), float(byar(observed + 1, 1) / expected))


def design_effect(label: np.ndarray, pupil: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Return the design effect of pupils: the variance of the number missing over that of independent snapshots; at least 1.

    If all labels are the same, nothing shows how snapshots of a pupil hang together: then they count as one.

    Parameters
    ----------
    label : float array of 0 and 1, shape (rows,)
    pupil : int array, shape (rows,)
        Index of each row's pupil.
    weight : float array, shape (rows,), optional
        Weight of each row.
    """
    weight = np.ones(len(label)) if weight is None else weight
    rate = float(np.average(label, weights=weight)) if len(label) else 0.0
    residual = weight * (label - rate) if 0 < rate < 1 else weight
    if not residual.any():
        return 1.0
    return float(max((np.bincount(pupil, weights=residual) ** 2).sum() / (residual**2).sum(), 1.0))


def resampled(pupil: np.ndarray, seed: int, times: int = 200) -> Iterator[np.ndarray]:
    """Yield the weights of the rows in each resample of pupils; all rows of a pupil are drawn together.

    Parameters
    ----------
    pupil : int array, shape (rows,)
        Index of each row's pupil.

    Yields
    ------
    float array, shape (rows,)
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    n = int(pupil.max()) + 1 if len(pupil) else 0
    for _ in range(times):
        yield np.bincount(rng.integers(0, n, n), minlength=n)[pupil].astype(float)


def bootstrap(
    figure: Callable[[np.ndarray], float | np.ndarray], pupil: np.ndarray, seed: int, times: int = 200
) -> np.ndarray:
    """Return the 95% interval of a figure, or of several, over resampled pupils (percentiles).

    Parameters
    ----------
    figure : callable
        Maps the weights of the rows to a number or an array; non-finite values are ignored.

    Returns
    -------
    float array, shape (2, ...)
        Low and high.
    """
    drawn = np.array([figure(w) for w in resampled(pupil, seed, times)], float)
    drawn[~np.isfinite(drawn)] = np.nan
    with np.errstate(all="ignore"):
        return np.nanpercentile(drawn, [2.5, 97.5], axis=0)
