"""The analysis and the power: on worlds that are known, no more than 5% false findings, the promised power, and intervals that cover."""

from datetime import date
from itertools import product

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_ind

from serving.trials.effects import LEVEL, _student, effects
from serving.trials.plan import TrialPlan
from serving.trials.power import Sample, outcomes, power_of

PLAN = {
    "name": "abc",
    "question": "Does help now help?",
    "authority": "801",
    "as_of": date(2026, 9, 7),
    "first": 400,
    "analyse_on": date(2027, 9, 1),
    "seed": 5,
}
EXPECTED = {
    "contact": {"control": 0.4, "treated": 0.6},
    "attendance": {"control": 0.8, "treated": 0.88},
    "missing": {"ratio": 0.5},
}
UNEVEN = {
    "contact": {"control": 0.1, "treated": 0.2},
    "attendance": {"control": 0.8, "treated": 0.92},
    "missing": {"ratio": 0.5},
}
SIZES = {"child": (400, 1), "family": (250, 2), "school": (50, 12)}


def sample(unit):
    units, each = SIZES[unit]
    of = np.repeat(np.arange(units), each)
    rng = np.random.default_rng(3)
    return Sample(unit=of, risk=rng.uniform(0.2, 0.5, len(of)), excepted=rng.random(len(of)) < 0.05)


@pytest.mark.parametrize(("unit", "outcome"), list(product(SIZES, EXPECTED)))
def test_500_worlds_have_few_false_findings_and_the_power_of_the_plan(unit, outcome):
    """The size of a randomisation test is 5% or less; what 500 worlds show of it lies within three standard errors (1.0 points)."""
    power = power_of(TrialPlan(unit=unit, outcome=outcome, **EXPECTED[outcome], **PLAN), sample(unit), 500)
    assert power.size.value <= LEVEL + 3 * (LEVEL * (1 - LEVEL) / 500) ** 0.5
    assert power.size.value > 0.01
    assert power.power.value >= 0.8
    assert power.covered.value >= 0.92


@pytest.mark.prove
def test_over_many_worlds_there_are_no_more_than_5_in_100_false_findings():
    """20,000 worlds of rare and of common outcomes, few and many units: the shares lie at or below 5%, but for chance."""
    found = worlds = 0
    for unit, outcome in product(SIZES, EXPECTED):
        for seed in range(4):
            plan = TrialPlan(unit=unit, outcome=outcome, **EXPECTED[outcome], **{**PLAN, "seed": 100 + seed})
            power = power_of(plan, sample(unit), 556)
            found, worlds = found + power.size.value * 556, worlds + 556
    assert worlds > 20_000
    assert (
        found / worlds <= LEVEL + 2 * (LEVEL * (1 - LEVEL) / worlds) ** 0.5 + 0.001
    )  # redrawn lots are shared by the worlds of a run


def test_the_power_falls_with_fewer_units_rarer_outcomes_and_more_exceptions():
    whole = sample("child")
    plan = TrialPlan(unit="child", outcome="missing", ratio=0.5, **PLAN)
    most = power_of(plan, whole, 300).power.value
    fewer = Sample(unit=whole.unit[:60], risk=whole.risk[:60], excepted=whole.excepted[:60])
    rare = Sample(unit=whole.unit, risk=whole.risk / 20, excepted=whole.excepted)
    excepted = Sample(unit=whole.unit, risk=whole.risk, excepted=np.arange(400) < 200)
    for less in (fewer, rare, excepted):
        assert power_of(plan, less, 300).power.value < most - 0.1


def test_without_groups_the_analysis_is_the_t_test():
    """On single children of a measured outcome it gives the difference, and about the interval and p, of Welch's test."""
    rng = np.random.default_rng(1)
    arm = rng.random((300, 1)) < 0.5
    y = rng.normal(0.8, 0.1, (300, 1)) + 0.02 * arm
    found = effects(arm, y, np.ones(300), 1, 9999)
    test = ttest_ind(y[arm], y[~arm], equal_var=False)
    interval = test.confidence_interval()
    assert found.difference[0] == pytest.approx(y[arm].mean() - y[~arm].mean())
    assert (found.low[0], found.high[0]) == pytest.approx((interval.low, interval.high), abs=2e-4)
    assert found.p[0] == pytest.approx(test.pvalue, abs=0.02)


def test_children_of_a_unit_widen_the_interval():
    """Ten children who are all alike count as one."""
    rng = np.random.default_rng(2)
    arm, y = rng.random((60, 1)) < 0.5, rng.integers(0, 2, (60, 1)).astype(float)
    one, ten = effects(arm, y, np.ones(60), 1), effects(arm, 10 * y, np.full(60, 10.0), 1)
    assert (ten.low[0], ten.high[0], ten.p[0]) == pytest.approx((one.low[0], one.high[0], one.p[0]))


def test_an_outcome_that_is_the_same_for_all_is_no_finding():
    found = effects(np.arange(40)[:, None] < 20, np.ones((40, 1)), np.ones(40), 1)
    assert (found.p[0], found.difference[0]) == (1.0, 0.0)


def test_the_t_quantile():
    for df in (18, 30, 100, 1e6):
        assert _student(np.array([float(df)]))[0] == pytest.approx(student.ppf(0.975, df), abs=1e-4)


@pytest.mark.parametrize(("unit", "outcome"), list(product(SIZES, EXPECTED)))
def test_the_worlds_have_the_means_of_the_plan(unit, outcome):
    """Whatever the correlation within units; those who are excepted are helped in both arms."""
    plan = TrialPlan(unit=unit, outcome=outcome, icc=0.4, **{**PLAN, **UNEVEN[outcome]})
    children, rng = sample(unit), np.random.default_rng(8)
    arm = rng.random((SIZES[unit][0], 400)) < 0.5
    drawn = outcomes(plan, children, arm, rng, works=True)
    helped = arm[children.unit] | children.excepted[:, None]
    usual, treated = plan.means if outcome != "missing" else (children.risk[:, None], 0.5 * children.risk[:, None])
    expected = np.where(helped, treated, usual)
    for group in (helped, ~helped):
        worlds = (drawn * group).sum(0) / group.sum(0) - (expected * group).sum(0) / group.sum(0)
        assert abs(worlds.mean()) < 4 * worlds.std() / 400**0.5


@pytest.mark.parametrize("icc", [0.0, 0.05, 0.5])
def test_attendance_spreads_and_is_alike_in_a_unit_as_planned(icc):
    plan = TrialPlan(unit="family", outcome="attendance", icc=icc, **{**PLAN, **UNEVEN["attendance"]})
    children = Sample(unit=np.repeat(np.arange(250), 2), risk=np.full(500, 0.1), excepted=np.zeros(500, bool))
    drawn = outcomes(plan, children, np.zeros((250, 400), bool), np.random.default_rng(9), works=True)
    assert drawn.std() == pytest.approx(0.2, abs=0.002)
    first, second = drawn[::2].ravel(), drawn[1::2].ravel()
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(icc, abs=0.015)
