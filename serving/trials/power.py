"""Power and size of a plan, by simulating its worlds and analysing each as the trial will be analysed."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from serving.trials.effects import DRAWS, LEVEL, effects
from serving.trials.plan import TrialPlan
from training.measures.intervals import Interval, wilson

WORLDS = 500


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The children who take part.

    Attributes
    ----------
    unit : int array, shape (children,)
        Index of each child's unit.
    risk : float array, shape (children,)
        Of the list.
    excepted : bool array, shape (children,)
        Helped in both arms: a safety exception when the trial starts.
    """

    unit: np.ndarray
    risk: np.ndarray
    excepted: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Power:
    """How often the trial finds an effect, over ``worlds`` simulated trials.

    Attributes
    ----------
    power : Interval
        If help does what the plan expects.
    size : Interval
        If help does nothing: false findings.
    covered : Interval
        How often the 95% interval contains no difference, if help does nothing.
    """

    worlds: int
    power: Interval
    size: Interval
    covered: Interval

    def to_dict(self) -> dict[str, object]:
        """Return JSON-ready data."""
        return {
            "worlds": self.worlds,
            "power": self.power.to_dict(),
            "size": self.size.to_dict(),
            "interval_covers_no_difference": self.covered.to_dict(),
        }


def power_of(plan: TrialPlan, sample: Sample, worlds: int = WORLDS, draws: int = DRAWS) -> Power:
    """Simulate a plan with its expected effect, and without one.

    Every world draws its own lot and outcomes. Children of a unit are alike by ``plan.icc``: on the scale of the underlying normal variable for a
    contact or going missing, on its own scale for attendance.
    """
    shares = []
    for seed, works in ((1, True), (2, False)):
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([plan.seed, seed])))
        units = int(sample.unit.max()) + 1
        arm = rng.random((units, worlds)) < 0.5
        outcome = outcomes(plan, sample, arm, rng, works=works)
        total = np.zeros((units, worlds))
        np.add.at(total, sample.unit, outcome)
        found = effects(arm, total, np.bincount(sample.unit, minlength=units).astype(float), plan.seed + seed, draws)
        shares.append((int((found.p <= LEVEL).sum()), int(((found.low <= 0) & (found.high >= 0)).sum())))
    intervals = [wilson(n, worlds) for n in (shares[0][0], shares[1][0], shares[1][1])]
    power, size, covered = (i for i in intervals if i is not None)
    return Power(worlds=worlds, power=power, size=size, covered=covered)


def outcomes(plan: TrialPlan, sample: Sample, arm: np.ndarray, rng: np.random.Generator, *, works: bool) -> np.ndarray:
    """Return the outcome of each child in each world, with exactly the plan's means.

    A contact or going missing happens when a standard normal variable, correlated within the unit, lies below the quantile of its chance
    (Emrich and Piedmonte 1991). Attendance is a Beta variable around a mean of the unit that is itself a Beta variable.

    Parameters
    ----------
    arm : bool array, shape (units, worlds)
        Whether a unit is helped now.
    works : bool
        Whether help has the expected effect.

    Returns
    -------
    float array, shape (children, worlds)
    """
    helped = works & (arm[sample.unit] | sample.excepted[:, None])
    icc = 0.0 if plan.unit == "child" else plan.icc
    if plan.outcome == "attendance":
        by_arm = [_attendance(mean, plan.spread, icc, arm.shape, rng) for mean in plan.means]
        mean, size = (np.where(helped, b[sample.unit], a[sample.unit]) for a, b in zip(*by_arm, strict=True))
        return rng.beta(mean * size, (1 - mean) * size)
    if plan.outcome == "missing":
        chance = np.clip(sample.risk, 1e-6, 1 - 1e-6)[:, None] * np.array([1, plan.ratio or 1])
    else:
        chance = np.array([plan.means])
    usual, treated = (_quantiles(column)[:, None] for column in chance.T)
    normal = np.sqrt(1 - icc) * rng.standard_normal(helped.shape)
    normal += np.sqrt(icc) * rng.standard_normal(arm.shape)[sample.unit]
    return (normal < np.where(helped, treated, usual)).astype(float)


def _attendance(
    mean: float, spread: float, icc: float, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return each unit's mean and the sum of both Beta parameters of its children, so that a child has the mean and the spread, and units the icc."""
    most, between = mean * (1 - mean), icc * spread**2
    of_unit = np.full(shape, mean)
    if between > 0:
        size = most / between - 1
        of_unit = np.clip(rng.beta(np.full(shape, mean * size), (1 - mean) * size), 1e-9, 1 - 1e-9)
    return of_unit, np.full(shape, (most - between) / (spread**2 - between) - 1)


def _quantiles(chances: np.ndarray) -> np.ndarray:
    normal = NormalDist()
    return np.array([normal.inv_cdf(chance) for chance in chances])
