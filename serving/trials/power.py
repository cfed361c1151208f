"""Power and size of a plan, by simulating its worlds and analysing each as the trial will be analysed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from serving.trials.effects import DRAWS, LEVEL, effects
from serving.trials.order import reached
from serving.trials.plan import TrialPlan
from serving.trials.sample import Sample, quantiles
from serving.trials.wedge import effects as wedge_effects
from serving.trials.wedge import worlds as wedge_worlds
from serving.trials.wedge.lot import sizes_of
from training.measures.intervals import Interval, wilson

WORLDS = 500


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
    analysed = _wedges if plan.arms == "wedge" else _two_arms
    for seed, works in ((1, True), (2, False)):
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([plan.seed, seed])))
        p, covered = analysed(plan, sample, worlds, draws, rng=rng, seed=plan.seed + seed, works=works)
        shares.append((int((p <= LEVEL).sum()), int(covered.sum())))
    intervals = [wilson(n, worlds) for n in (shares[0][0], shares[1][0], shares[1][1])]
    power, size, covered_share = (i for i in intervals if i is not None)
    return Power(worlds=worlds, power=power, size=size, covered=covered_share)


def _two_arms(
    plan: TrialPlan, sample: Sample, worlds: int, draws: int, *, rng: np.random.Generator, seed: int, works: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return p, and whether the interval contains no difference, in each world of a trial with two arms."""
    units = int(sample.unit.max()) + 1
    arm = rng.random((units, worlds)) < 0.5
    outcome = outcomes(plan, sample, arm, rng, works=works)
    total = np.zeros((units, worlds))
    np.add.at(total, sample.unit, outcome)
    found = effects(arm, total, np.bincount(sample.unit, minlength=units).astype(float), seed, draws)
    return found.p, (found.low <= 0) & (found.high >= 0)


def _wedges(
    plan: TrialPlan, sample: Sample, worlds: int, draws: int, *, rng: np.random.Generator, seed: int, works: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return p, and whether the interval contains no effect, in each world of a stepped wedge; its interval is what the test does not refuse."""
    children = np.bincount(sample.unit).astype(float)
    steps = plan.steps or 0
    order = np.argsort(rng.random((len(children), worlds)), axis=0)
    begins = np.empty(order.shape, int)
    np.put_along_axis(
        begins, order, np.repeat(np.arange(1, steps + 1), sizes_of(len(children), steps))[:, None], axis=0
    )
    outcome = wedge_worlds.outcomes(plan, sample, begins, rng, works=works)
    found = wedge_effects.effects(begins, outcome, children, seed, draws)
    return found.p, found.p > LEVEL


def outcomes(plan: TrialPlan, sample: Sample, arm: np.ndarray, rng: np.random.Generator, *, works: bool) -> np.ndarray:
    """Return the outcome of each child in each world, with exactly the plan's means.

    A contact or going missing happens when a standard normal variable, correlated within the unit, lies below the quantile of its chance
    (Emrich and Piedmonte 1991). Attendance is a Beta variable around a mean of the unit that is itself a Beta variable.

    Parameters
    ----------
    arm : bool array, shape (units, worlds)
        Whether a unit is in the first arm.
    works : bool
        Whether help has the expected effect.

    Returns
    -------
    float array, shape (children, worlds)
    """
    helped = _helped(plan, sample, arm[sample.unit], rng) if works else np.zeros((len(sample.unit), arm.shape[1]), bool)
    icc = 0.0 if plan.unit == "child" else plan.icc
    if plan.outcome == "attendance":
        by_arm = [_attendance(mean, plan.spread, icc, arm.shape, rng) for mean in plan.means]
        mean, size = (np.where(helped, b[sample.unit], a[sample.unit]) for a, b in zip(*by_arm, strict=True))
        return rng.beta(mean * size, (1 - mean) * size)
    if plan.outcome == "missing":
        chance = np.clip(sample.risk, 1e-6, 1 - 1e-6)[:, None] * np.array([1, plan.ratio or 1])
    else:
        chance = np.array([plan.means])
    usual, treated = (quantiles(column)[:, None] for column in chance.T)
    normal = np.sqrt(1 - icc) * rng.standard_normal(helped.shape)
    normal += np.sqrt(icc) * rng.standard_normal(arm.shape)[sample.unit]
    return (normal < np.where(helped, treated, usual)).astype(float)


def _helped(plan: TrialPlan, sample: Sample, first: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return which children are helped in each world: those of the first arm, or those whom the team reaches in their order."""
    if plan.arms != "order":
        return first | sample.excepted[:, None]
    due = np.full(len(sample.unit), np.inf) if sample.due is None else sample.due
    most = plan.reached or 0
    return reached(plan.orders, first, risk=sample.risk, due=due, soon=sample.excepted, most=most, rng=rng)


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
