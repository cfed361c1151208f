"""Two-parameter calibration: p = sigmoid(a * margin + b), fitted on a later period and refitted on resampled pupils."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from histories.errors import Fault, Faults
from training.measures.intervals import resampled

MIN_SLOPE = 0.05  # per standard deviation of the margins, or per 1 if they vary less
WIDE = 40.0  # larger margins are standardised: at a slope of one their risks would be exactly 0 or 1
MAX_STEPS = 200
SHORT = 0.5  # a step, in log-odds
NEAR = 40.0  # of the prior's means: steps are at most 2, so whoever starts from much farther away does not arrive
BEYOND = 700.0  # the exponential of larger log-odds is beyond all numbers


class Prior(NamedTuple):
    """A normal prior on slope and intercept: means, and precisions (one over the variance)."""

    slope: float = 1.0
    intercept: float = 0.0
    slope_precision: float = 1.0
    intercept_precision: float = 1e-3


WEAK = Prior()  # keeps the fit finite for resamples with few positives and for separable rows


def fit(
    margins: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray | None = None,
    prior: Prior = WEAK,
    *,
    near: tuple[float, float] | None = None,
) -> tuple[float, float]:
    """Fit slope and intercept by Newton's method with a line search on the log-likelihood (Platt 1999).

    Parameters
    ----------
    margins, labels : float arrays, shape (rows,)
    weights : float array, optional
    prior : Prior
        Of slope and intercept; for margins beyond ``WIDE`` it is on the scale of standardised margins.
    near : tuple of float, optional
        Slope and intercept from which the maximum is searched, such as those of all rows for a resample; there is one maximum. Left aside if they are
        far: all rows may differ by a last bit only where a resample has an outlier, and a slope in units of the one says nothing in those of the other.

    Returns
    -------
    a, b : float
        The slope is at least ``MIN_SLOPE``; the mean of the calibrated risks is the mean of the labels.

    Raises
    ------
    Faults
        If a value is not finite, all weights are zero, or the search does not converge.
    """
    w = np.ones_like(margins) if weights is None else weights
    if not (np.isfinite(margins).all() and np.isfinite(labels).all() and np.isfinite(w).all() and w.sum() > 0):
        what = "a calibrator cannot be fitted: a margin, label or weight is not finite, or no row has weight"
        raise Faults(Fault(what, "calibration", "Check the candidate's margins and the weights of the snapshots."))
    is_wide = bool(np.abs(margins).max() > WIDE)
    margins, labels, w = _of_weight(margins, labels, w)
    centre = float(np.average(margins, weights=w))
    spread = float(np.sqrt(np.average((margins - centre) ** 2, weights=w)))
    lowest = MIN_SLOPE / max(spread, 1.0)
    if not is_wide:
        return _fit(margins, labels, w, lowest=lowest, prior=prior, near=near)
    unit = spread or 1.0
    scaled = None if near is None else (near[0] * unit, near[1] + near[0] * centre)
    a, b = _fit((margins - centre) / unit, labels, w, lowest=lowest * unit, prior=prior, near=scaled)
    return a / unit, b - a * centre / unit


def _of_weight(margins: np.ndarray, labels: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Leave out rows whose weight is zero: of a resample more than a third."""
    counts = w != 0
    return (margins, labels, w) if counts.all() else (margins[counts], labels[counts], w[counts])


def _fit(
    margins: np.ndarray,
    labels: np.ndarray,
    w: np.ndarray,
    *,
    lowest: float,
    prior: Prior,
    near: tuple[float, float] | None,
) -> tuple[float, float]:
    start = (prior.slope, prior.intercept)
    if near is not None and max(abs(n - s) for n, s in zip(near, start, strict=True)) < NEAR:
        start = near
    slope, intercept = _maximum(margins, labels, w, prior, start=start)
    # Calibration must not reverse the order: the slope stays positive, and the intercept is fitted to it.
    if slope < lowest:
        slope, intercept = _maximum(margins, labels, w, prior, start=(lowest, intercept), slope_is_fixed=True)
    return float(slope), float(intercept)


def _maximum(
    margins: np.ndarray,
    labels: np.ndarray,
    w: np.ndarray,
    prior: Prior,
    *,
    start: tuple[float, float],
    slope_is_fixed: bool = False,
) -> np.ndarray:
    """Return slope and intercept at the maximum of the penalised log-likelihood.

    The likelihood is concave, so a step whose end still has a positive slope has gained. A short one whose end has at most half of the slope backwards
    is near the maximum too. Only other steps that overshoot are compared by value.
    """

    def value(at: np.ndarray) -> float:
        z = at[0] * margins + at[1]
        squares = prior.slope_precision * (at[0] - prior.slope) ** 2
        penalty = (squares + prior.intercept_precision * (at[1] - prior.intercept) ** 2) / 2
        return float(w @ (labels * z - np.logaddexp(0.0, z)) - penalty)

    def slopes(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = 1.0 / (1.0 + np.exp(-np.clip(at[0] * margins + at[1], -40, 40)))
        v, residual = w * p * (1.0 - p), w * (labels - p)
        from_prior = (
            prior.slope_precision * (at[0] - prior.slope),
            prior.intercept_precision * (at[1] - prior.intercept),
        )
        gradient = np.array([residual @ margins - from_prior[0], residual.sum() - from_prior[1]])
        along = v * margins
        of_slope, of_intercept = along @ margins + prior.slope_precision, v.sum() + prior.intercept_precision
        hessian = np.array([[of_slope, along.sum()], [along.sum(), of_intercept]])
        if slope_is_fixed:
            gradient[0], hessian[0, 1], hessian[1, 0] = 0.0, 0.0, 0.0
        return gradient, hessian

    at = np.array(start)
    gradient, hessian = slopes(at)
    for _ in range(MAX_STEPS):
        newton = np.linalg.solve(hessian, gradient)
        step = np.clip(newton, -2.0, 2.0)
        if gradient @ step <= 0:  # clipped separately, slope and intercept may no longer be an ascent direction
            step = newton * min(1.0, 2.0 / float(np.abs(newton).max() or 1.0))
        reached = at + step
        if np.abs(step).max() < 1e-10:
            return reached
        ahead = slopes(reached)
        limit = -0.5 * float(gradient @ step) if np.abs(step).max() < SHORT else 0.0
        if ahead[0] @ step < limit:
            current = value(at)
            while value(reached) < current - 1e-12 * abs(current) and np.abs(step).max() >= 1e-10:
                step = step / 2
                reached = at + step
            ahead = slopes(reached)
        at, (gradient, hessian) = reached, ahead
    what = f"the calibrator did not converge in {MAX_STEPS} steps"
    raise Faults(Fault(what, "calibration", "Check that the candidate's margins differ between children."))


def in_the_large(
    log_odds: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None, *, near: float = 0.0
) -> float:
    """Return by how much risks are too low on the whole, in log-odds: the intercept of a fit whose slope is 1 (Cox 1958); below 0, they are too high.

    The intercept of ``fit`` says nothing of the kind: it is that of a risk of a half, which hardly any child has.

    Parameters
    ----------
    log_odds : float array, shape (rows,)
        Of calibrated risks.
    near : float
        Where it is searched.
    """
    rows = _of_weight(log_odds, labels, np.ones_like(log_odds) if weights is None else weights)
    return float(_maximum(*rows, WEAK, start=(1.0, near if abs(near) < NEAR else 0.0), slope_is_fixed=True)[1])


def risk(margins: np.ndarray, a: float, b: float) -> np.ndarray:
    """Return calibrated probabilities of margins."""
    return sigmoid(np.clip(a * margins + b, -30, 30))


def sigmoid(log_odds: np.ndarray) -> np.ndarray:
    """Return the probabilities of log-odds, to the bit the same on processors with AVX-512 and without: scores that are kept as numbers are made again elsewhere."""
    limited = -np.clip(log_odds, -BEYOND, BEYOND)
    # NumPy's own exponential has other last bits on each of these processors.
    powers = np.array([math.exp(x) for x in limited.ravel().tolist()], dtype=np.float64)
    return 1.0 / (1.0 + powers.reshape(limited.shape))


def bootstrap(
    margins: np.ndarray,
    labels: np.ndarray,
    pupils: np.ndarray,
    seed: int,
    times: int = 100,
    weights: np.ndarray | None = None,
) -> list[list[float]]:
    """Refit on resamples of pupils.

    Parameters
    ----------
    pupils : int array, shape (rows,)
        Index of each row's pupil.

    Returns
    -------
    list of [a, b]
    """
    row_weights = np.ones(len(labels)) if weights is None else weights
    near = fit(margins, labels, row_weights)
    return [list(fit(margins, labels, drawn * row_weights, near=near)) for drawn in resampled(pupils, seed, times)]


def half_width(margins: np.ndarray, calibrator: dict[str, Any]) -> np.ndarray:
    """Return half the width of the 95% interval in log-odds at some margins, shape (rows,).

    Parameters
    ----------
    calibrator : dict
        ``a``, ``bootstrap`` (pairs refitted on resampled pupils) and, if they were measured, ``spread`` and ``between`` (see ``fitting.uncertainty``).
    """
    pairs = np.array(calibrator["bootstrap"], float).reshape(-1, 2)
    drawn = np.outer(margins, pairs[:, 0]) + pairs[:, 1]
    total = drawn.var(axis=1, ddof=1) if len(pairs) > 1 else np.zeros(len(margins))
    if calibrator.get("spread"):
        knots = calibrator["spread"]
        total = total + (calibrator["a"] * np.interp(margins, knots["margin"], knots["sd"])) ** 2
    if calibrator.get("between"):
        knots = calibrator["between"]
        total = total + np.interp(margins, knots["margin"], knots["sd"]) ** 2
    return 1.96 * np.sqrt(total)


def interval(margins: np.ndarray, calibrator: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and the upper limit of the risks of margins; see ``half_width``."""
    log_odds, half = calibrator["a"] * margins + calibrator["b"], half_width(margins, calibrator)
    return sigmoid(log_odds - half), sigmoid(log_odds + half)
