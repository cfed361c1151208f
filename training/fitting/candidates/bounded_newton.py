"""Newton's method for a smooth convex function with some non-negative parameters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from histories.errors import Fault, Faults

# Value, gradient (parameters,) and Hessian (parameters, parameters) at a point.
Evaluate = Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]

MAX_STEPS = 100
CLOSE = 1e-8  # predicted gain of the next step, in units of the function; about 1e-16 remains after it


def minimise(evaluate: Evaluate, start: np.ndarray, signed: np.ndarray) -> np.ndarray:
    """Return the minimiser.

    A projected Newton method: each step goes towards the minimum of the quadratic approximation within the bounds, and is halved
    until the function decreases.

    Parameters
    ----------
    evaluate : callable
        Convex, with a positive definite Hessian.
    start : float array, shape (parameters,)
        Within the bounds.
    signed : bool array, shape (parameters,)
        Parameters that may not be negative.

    Raises
    ------
    Faults
        If it does not converge.
    """
    point = start
    value, gradient, hessian = evaluate(point)
    for _ in range(MAX_STEPS):
        step = quadratic_minimum(hessian, hessian @ point - gradient, point, signed) - point
        gain = -float(gradient @ step)
        if gain <= CLOSE:
            return point + step
        size = 1.0
        ahead = evaluate(point + step)
        while ahead[0] > value - 1e-4 * size * gain and size > 1e-6:
            size /= 2
            ahead = evaluate(point + size * step)
        point, (value, gradient, hessian) = point + size * step, ahead
    what = f"a regression did not converge in {MAX_STEPS} steps"
    raise Faults(Fault(what, "ridge", "Check the features for values that are out of all proportion (onroll check)."))


def quadratic_minimum(hessian: np.ndarray, linear: np.ndarray, start: np.ndarray, signed: np.ndarray) -> np.ndarray:
    """Return the minimum of ``b'Hb/2 - l'b`` where some parameters may not be negative (Lawson and Hanson 1974).

    Parameters
    ----------
    start : float array, shape (parameters,)
        Within the bounds; parameters that are zero there stay so until the gradient asks for them.
    """
    free = ~signed | (start > 0)
    point = np.where(free, start, 0.0)
    tolerance = 1e-12 * max(1.0, float(np.abs(linear).max()))
    while True:
        target = _on(hessian, linear, free)
        while (signed & free & (target <= 0)).any():
            below = np.flatnonzero(signed & free & (target <= 0))
            shares = point[below] / np.maximum(point[below] - target[below], 1e-300)
            point = point + float(shares.min()) * (target - point)
            free[below[shares <= shares.min()]] = False
            point[~free] = 0.0
            target = _on(hessian, linear, free)
        point = target
        slope = np.where(free, 0.0, linear - hessian @ point)
        most = int(np.argmax(slope))
        if slope[most] <= tolerance:
            return point
        free[most] = True


def _on(hessian: np.ndarray, linear: np.ndarray, free: np.ndarray) -> np.ndarray:
    point, at = np.zeros(len(linear)), np.flatnonzero(free)
    point[at] = np.linalg.solve(hessian[np.ix_(at, at)], linear[at])
    return point
