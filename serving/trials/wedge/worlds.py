"""Simulated stepped wedges: outcomes of units by period, with a drift over the weeks that help has nothing to do with."""

from __future__ import annotations

import numpy as np

from serving.trials.plan import TrialPlan
from serving.trials.sample import Sample, quantiles
from serving.trials.wedge.effects import helped

DRIFT = -0.05  # from the first to the last period, as attendance falls in the autumn term


def outcomes(
    plan: TrialPlan, sample: Sample, begins: np.ndarray, rng: np.random.Generator, *, works: bool
) -> np.ndarray:
    """Return the mean outcome of each unit in each period and world.

    The differences between units and between children of a unit have the plan's ``spread`` and ``icc``. ``stays`` of each variance is the same in
    every period, the rest is new in each. Attendance is normal around its mean, which is close for means of several children. A contact
    happens when a standard normal variable lies below the quantile of its chance.

    Parameters
    ----------
    begins : int array, shape (units, worlds)
    works : bool
        Whether help has the expected effect.

    Returns
    -------
    float array, shape (units, periods, worlds)
    """
    steps = plan.steps or 0
    on = helped(begins, steps)
    children = np.bincount(sample.unit, minlength=len(begins)).astype(float)
    drift = (DRIFT * np.arange(steps + 1) / steps)[None, :, None]
    if plan.outcome == "attendance":
        excepted = (np.bincount(sample.unit, sample.excepted, len(begins)) / children)[:, None, None]
        usual, treated = plan.means
        mean = usual + drift + works * (treated - usual) * np.where(on, 1.0, excepted)
        between = plan.icc**0.5 * plan.spread * _lasting(on.shape, plan.stays, rng)
        within = (1 - plan.icc) ** 0.5 * plan.spread * _lasting(on.shape, plan.stays, rng)
        return mean + between + within / np.sqrt(children)[:, None, None]
    chances = [np.clip(mean + drift.ravel(), 0.01, 0.99) for mean in plan.means]
    usual_at, treated_at = (quantiles(chance)[None, :, None] for chance in chances)
    with_help = works & (on[sample.unit] | sample.excepted[:, None, None])
    normal = (1 - plan.icc) ** 0.5 * _lasting(with_help.shape, plan.stays, rng)
    normal += (plan.icc**0.5 * _lasting(on.shape, plan.stays, rng))[sample.unit]
    happened = (normal < np.where(with_help, treated_at, usual_at)).astype(float)
    total = np.zeros(on.shape)
    np.add.at(total, sample.unit, happened)
    return total / children[:, None, None]


def _lasting(shape: tuple[int, ...], stays: float, rng: np.random.Generator) -> np.ndarray:
    """Return standard normal variables by period, of whose variance ``stays`` is the same in all periods."""
    always = rng.standard_normal((shape[0], 1, *shape[2:]))
    return stays**0.5 * always + (1 - stays) ** 0.5 * rng.standard_normal(shape)
