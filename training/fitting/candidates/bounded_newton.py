"""Newton's method for a smooth convex function with some non-negative parameters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from histories.errors import Fault, Faults

# Value, gradient (parameters,) and, if asked for, Hessian (parameters, parameters) at a point; otherwise the Hessian is empty.
Evaluate = Callable[[np.ndarray, bool], tuple[float, np.ndarray, np.ndarray]]

MAX_STEPS = 100
CLOSE = 1e-16  # predicted gain of the next step, in units of the function; a tenth of it or less remains after it
COMPARABLE = 1e-8  # smaller gains are lost in the rounding of the function's values
SLOW = 0.1  # share of the last predicted gain; if more is left, the Hessian is too old


def minimise(evaluate: Evaluate, start: np.ndarray, signed: np.ndarray, close: float = CLOSE) -> np.ndarray:
    """Return the minimiser.

    A projected Newton method: each step goes towards the minimum of the quadratic approximation within the bounds, and is halved
    until the function decreases. A Hessian serves as long as its steps converge fast, since it costs many gradients; the gradient is exact,
    so the minimum does not depend on it.

    Parameters
    ----------
    evaluate : callable
        Convex, with a positive definite Hessian. Takes a point and whether the Hessian is needed.
    start : float array, shape (parameters,)
        Within the bounds.
    signed : bool array, shape (parameters,)
        Parameters that may not be negative.
    close : float
        The search ends at a smaller predicted gain.

    Raises
    ------
    Faults
        If it does not converge.
    """
    point, is_new, last_gain = start, True, np.inf
    value, gradient, hessian = evaluate(point, True)
    for _ in range(MAX_STEPS):
        step = quadratic_minimum(hessian, hessian @ point - gradient, point, signed) - point
        gain = -float(gradient @ step)
        if not is_new and gain > SLOW * last_gain:
            _, _, hessian = evaluate(point, True)
            is_new = True
            continue
        if gain <= close:
            return point + step
        size = 1.0
        ahead = evaluate(point + step, False)
        while gain > COMPARABLE and ahead[0] > value - 1e-4 * size * gain and size > 1e-6:
            size /= 2
            ahead = evaluate(point + size * step, False)
        point, is_new, last_gain = point + size * step, False, gain
        value, gradient = ahead[:2]
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
