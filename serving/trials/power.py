"""Power and size of a plan, by simulating its worlds and analysing each as the trial will be analysed."""

from __future__ import annotations

from dataclasses import dataclass

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

    Every world draws its own lot and outcomes. Children of a unit are alike by ``plan.icc``: on the scale of log-odds for a contact or going
    missing, on its own scale for attendance.
    """
    shares = []
    for seed, works in ((1, True), (2, False)):
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([plan.seed, seed])))
        units = int(sample.unit.max()) + 1
        arm = rng.random((units, worlds)) < 0.5
        outcome = _outcomes(plan, sample, arm, rng, works=works)
        total = np.zeros((units, worlds))
        np.add.at(total, sample.unit, outcome)
        found = effects(arm, total, np.bincount(sample.unit, minlength=units).astype(float), plan.seed + seed, draws)
        shares.append((int((found.p <= LEVEL).sum()), int(((found.low <= 0) & (found.high >= 0)).sum())))
    intervals = [wilson(n, worlds) for n in (shares[0][0], shares[1][0], shares[1][1])]
    power, size, covered = (i for i in intervals if i is not None)
    return Power(worlds=worlds, power=power, size=size, covered=covered)


def _outcomes(plan: TrialPlan, sample: Sample, arm: np.ndarray, rng: np.random.Generator, *, works: bool) -> np.ndarray:
    """Return the outcome of each child in each world, shape (children, worlds)."""
    helped = arm[sample.unit] | sample.excepted[:, None]
    alike = rng.standard_normal(arm.shape)[sample.unit]
    if plan.outcome == "attendance":
        mean = np.where(helped & works, np.full(1, plan.treated), np.full(1, plan.control))
        own = rng.standard_normal(helped.shape)
        spread = plan.spread * (np.sqrt(plan.icc) * alike + np.sqrt(1 - plan.icc) * own)
        return np.clip(mean + spread, 0, 1)
    if plan.outcome == "missing":
        usual = np.clip(sample.risk, 1e-6, 1 - 1e-6)[:, None]
        treated = usual * (plan.ratio or 1)
    else:
        usual, treated = np.full((1, 1), plan.control), np.full((1, 1), plan.treated)
    chance = np.where(helped & works, treated, usual)
    scale = np.sqrt(plan.icc / (1 - plan.icc)) * np.pi / np.sqrt(3)  # variance of the logistic distribution: π²/3
    logit = np.log(chance / (1 - chance)) + scale * alike
    return (rng.random(helped.shape) < 1 / (1 + np.exp(-logit))).astype(float)
