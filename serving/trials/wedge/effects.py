"""The effect of help in a stepped wedge: within periods and within units, tested by drawing the order again.

Outcomes change with the weeks, and more units have help later: a comparison of before and after would take the one for the other. The estimate is
that of a regression on units, periods and help (Hussey and Hughes 2007), each unit weighted by its children. The test draws the order of the units
again (Ji and others 2017; Wang and De Gruttola 2017), and the interval holds the effects that the test does not refuse: neither needs an assumption about
how alike the children of a unit are, or its periods.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from serving.trials.effects import DRAWS, LEVEL


@dataclass(frozen=True, kw_only=True)
class WedgeEffects:
    """The effect in each world.

    Attributes
    ----------
    effect : float array, shape (worlds,)
        Of help, on the scale of the outcome.
    p : float array, shape (worlds,)
        Two-sided p of the randomisation test.
    """

    effect: np.ndarray
    p: np.ndarray


def helped(begins: np.ndarray, steps: int) -> np.ndarray:
    """Return whether a unit has help in each period: none in the first, all in the last.

    Parameters
    ----------
    begins : int array, shape (units, ...)
        The step, from 1, at which a unit begins.

    Returns
    -------
    bool array, shape (units, periods, ...)
    """
    periods = np.arange(steps + 1).reshape(1, -1, *[1] * (begins.ndim - 1))
    return periods >= begins[:, None]


def effects(
    begins: np.ndarray, outcome: np.ndarray, children: np.ndarray, seed: int, draws: int = DRAWS
) -> WedgeEffects:
    """Estimate and test the effect in many worlds of the same units.

    Parameters
    ----------
    begins : int array, shape (units, worlds)
    outcome : float array, shape (units, periods, worlds)
        Mean of a unit's children in a period.
    children : float array, shape (units,)
        Weight of each unit.
    seed : int
        Of the redrawn orders.
    """
    steps = outcome.shape[1] - 1
    effect = _estimates(helped(begins, steps).astype(float), outcome, children)
    redrawn = _redrawn(begins[:, 0], steps, children, seed, draws) @ outcome.reshape(-1, outcome.shape[2])
    # Equal effects must count as equal, whatever the order of their sums.
    p = (1 + (np.abs(redrawn) >= np.abs(effect) - 1e-12).sum(0)) / (draws + 1)
    return WedgeEffects(effect=effect, p=p)


def interval(
    begins: np.ndarray, outcome: np.ndarray, children: np.ndarray, seed: int, draws: int = DRAWS
) -> tuple[float, float]:
    """Return the 95% interval of the effect in one world: the effects that the test does not refuse.

    Parameters
    ----------
    begins : int array, shape (units,)
    outcome : float array, shape (units, periods)
    """
    steps = outcome.shape[1] - 1
    on = helped(begins, steps).astype(float)
    effect = float(_estimates(on[..., None], outcome[..., None], children)[0])
    lots = _redrawn(begins, steps, children, seed, draws)
    of_outcome, of_help = lots @ outcome.ravel(), lots @ on.ravel()

    def refused(value: float) -> bool:
        as_large = np.abs(of_outcome - value * of_help) >= abs(effect - value) - 1e-12
        return bool((1 + as_large.sum()) / (draws + 1) <= LEVEL)

    return _end(effect, -1, refused), _end(effect, 1, refused)


def _end(effect: float, sign: int, refused: Callable[[float], bool]) -> float:
    """Return the farthest effect in one direction that is not refused, to a thousandth of its distance; infinite if none is."""
    far = 1e-3
    while not refused(effect + sign * far):
        far *= 2
        if far > 1e6:
            return sign * np.inf
    near = 0.0
    while far - near > 1e-4 * max(far, 1e-3):
        middle = (near + far) / 2
        near, far = (near, middle) if refused(effect + sign * middle) else (middle, far)
    return effect + sign * far


def _redrawn(begins: np.ndarray, steps: int, children: np.ndarray, seed: int, draws: int) -> np.ndarray:
    """Return what each redrawn order multiplies the outcomes of units and periods by, to give its estimate; as many units begin at each step."""
    rng = np.random.Generator(np.random.PCG64(seed))
    order = np.argsort(rng.random((len(begins), draws)), axis=0)
    residual = _within(helped(np.sort(begins)[order], steps).astype(float), children)
    weighted = residual * children[:, None, None]
    scale = (weighted * residual).sum((0, 1))
    return (weighted / scale).reshape(-1, draws).T


def _estimates(on: np.ndarray, outcome: np.ndarray, children: np.ndarray) -> np.ndarray:
    residual = _within(on, children)
    weighted = residual * children[:, None, None]
    return (weighted * outcome).sum((0, 1)) / (weighted * residual).sum((0, 1))


def _within(on: np.ndarray, children: np.ndarray) -> np.ndarray:
    """Take the means of units and of periods out: what is left of help varies within both."""
    residual = on - on.mean(1, keepdims=True)
    return residual - np.average(residual, axis=0, weights=children, keepdims=True)
