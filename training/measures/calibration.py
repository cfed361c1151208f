"""Two-parameter calibration: p = sigmoid(a * margin + b), fitted on a later period, with pairs refitted on resampled pupils."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.measures.intervals import resampled


def fit(margins: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, float]:
    """Fit slope and intercept by Newton's method on the log-likelihood (Platt 1999).

    A weak pull towards a slope of one keeps the fit finite when a resample holds hardly any positives.

    Parameters
    ----------
    margins, labels : float arrays, shape (rows,)
    weights : float array, optional

    Returns
    -------
    a, b : float
    """
    w = np.ones_like(margins) if weights is None else weights
    a, b = 1.0, 0.0
    for _ in range(100):
        p = 1.0 / (1.0 + np.exp(-np.clip(a * margins + b, -40, 40)))
        v = w * p * (1.0 - p)
        residual = w * (labels - p)
        gradient = np.array([residual @ margins - (a - 1.0), residual.sum() - 1e-3 * b])
        hessian = np.array([[v @ margins**2 + 1.0, v @ margins], [v @ margins, v.sum() + 1e-3]])
        step = np.clip(np.linalg.solve(hessian, gradient), -2.0, 2.0)
        a, b = a + step[0], b + step[1]
        if np.abs(step).max() < 1e-10:
            break
    # A model whose order is right keeps it: the slope stays positive.
    return float(max(a, 0.05)), float(b)


def risk(margins: np.ndarray, a: float, b: float) -> np.ndarray:
    """Return calibrated probabilities of margins."""
    return 1 / (1 + np.exp(-np.clip(a * margins + b, -30, 30)))


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
        The number of each row's pupil, from 0.

    Returns
    -------
    list of [a, b]
    """
    own = np.ones(len(labels)) if weights is None else weights
    return [list(fit(margins, labels, drawn * own)) for drawn in resampled(pupils, seed, times)]


def half_width(margins: np.ndarray, calibrator: dict[str, Any]) -> np.ndarray:
    """Return half of the 95% interval in log-odds at some margins, shape (rows,).

    Parameters
    ----------
    calibrator : dict
        ``a``, ``bootstrap`` (pairs refitted on resampled pupils) and, where it was measured, ``spread``.
    """
    pairs = np.array(calibrator["bootstrap"], float).reshape(-1, 2)
    variance = np.outer(margins, pairs[:, 0]) + pairs[:, 1]
    total = variance.var(axis=1, ddof=1) if len(pairs) > 1 else np.zeros(len(margins))
    if calibrator.get("spread"):
        knots = calibrator["spread"]
        total = total + (calibrator["a"] * np.interp(margins, knots["margin"], knots["sd"])) ** 2
    return 1.96 * np.sqrt(total)
