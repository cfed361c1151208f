"""Recalibrate a model for another authority: an intercept and a slope, shrunk towards no change by the number of events.

The prior is normal around no change. The intercept is that at the risks where events are expected, so that it and the slope are nearly
independent: with ``n`` events the intercept keeps about ``n / (n + 4)`` of what the data say.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from training.measures import calibration
from training.measures.calibration import Prior
from training.measures.intervals import resampled

# How far authorities are taken to differ, in log-odds and in slope, before any event is known.
INTERCEPT_SD, SLOPE_SD = 0.5, 0.2
HIGHEST = 30.0  # log-odds beyond which a risk is 0 or 1 in double precision


def recalibrated(
    margins: np.ndarray, label: np.ndarray, weight: np.ndarray, calibrator: dict[str, Any]
) -> tuple[float, float]:
    """Return the slope and intercept of margins after adapting a calibrator.

    Parameters
    ----------
    margins, label, weight : float arrays, shape (rows,)
        Local snapshots with a known outcome; without rows or events the calibrator moves only as far as the events expected and not seen.
    calibrator : dict
        ``a, b`` of the model before.

    Returns
    -------
    a, b : float
        The risk is ``sigmoid(a * margin + b)``.
    """
    return _adapted(margins, label, weight, (calibrator["a"], calibrator["b"]), (0.0, 0.0))


def change(calibrator: dict[str, Any], adapted: tuple[float, float], margins: np.ndarray) -> tuple[float, float]:
    """Return by how much the log-odds changed where events were expected, and the slope of the new on the old log-odds."""
    logit, centre = _expected(margins, np.ones(len(margins)), (calibrator["a"], calibrator["b"]))
    slope = adapted[0] / calibrator["a"]
    return adapted[1] - slope * calibrator["b"] + (slope - 1.0) * centre if len(logit) else 0.0, slope


def bootstrap(
    *,
    margins: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    pupil: np.ndarray,
    calibrator: dict[str, Any],
    seed: int,
) -> list[list[float]]:
    """Return adapted slopes and intercepts, one for each that the calibrator has from resampled pupils of its own training.

    Local pupils are resampled too, and the prior's mean is drawn from the prior: shrunk estimates alone would vary too little.

    Parameters
    ----------
    pupil : int array, shape (rows,)
        Index of each row's pupil.
    """
    rng = np.random.Generator(np.random.PCG64([seed, len(label)]))
    pairs = calibrator["bootstrap"] or [[calibrator["a"], calibrator["b"]]]
    draws = zip(pairs, resampled(pupil, seed, len(pairs)), strict=True)
    shifts = rng.normal(0.0, (SLOPE_SD, INTERCEPT_SD), (len(pairs), 2))
    return [
        list(_adapted(margins, label, times * weight, (a, b), (shift[0], shift[1])))
        for ((a, b), times), shift in zip(draws, shifts, strict=True)
    ]


def _adapted(
    margins: np.ndarray, label: np.ndarray, weight: np.ndarray, pair: tuple[float, float], shift: tuple[float, float]
) -> tuple[float, float]:
    """Return the adapted pair; ``shift`` moves the prior's mean, in slope and intercept."""
    a, b = pair
    if not len(margins) or not weight.sum():
        return a * (1.0 + shift[0]), b * (1.0 + shift[0]) + shift[1]
    logit, centre = _expected(margins, weight, pair)
    prior = Prior(1.0 + shift[0], centre + shift[1], 1.0 / SLOPE_SD**2, 1.0 / INTERCEPT_SD**2)
    slope, intercept = calibration.fit(logit - centre, label, weight, prior)
    return slope * a, slope * (b - centre) + intercept


def _expected(margins: np.ndarray, weight: np.ndarray, pair: tuple[float, float]) -> tuple[np.ndarray, float]:
    """Return the log-odds of margins, and their mean where events are expected."""
    logit = np.clip(pair[0] * margins + pair[1], -HIGHEST, HIGHEST)
    risk = 1.0 / (1.0 + np.exp(-logit))
    spread = weight * risk * (1.0 - risk)
    return logit, float(np.average(logit, weights=spread)) if spread.sum() > 0 else 0.0
