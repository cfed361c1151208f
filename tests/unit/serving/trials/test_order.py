"""A trial of two orders: neither arm comes earlier in the merged list, and each stands in its own order."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.trials.effects import LEVEL
from serving.trials.order import keys, lots, places, reached
from serving.trials.plan import TrialPlan
from serving.trials.power import power_of
from serving.trials.sample import Sample

NOBODY = np.zeros(40, bool)
RISK = np.linspace(0.9, 0.1, 40)
PLAN = {
    "name": "abc",
    "question": "Does the order by risk help more?",
    "authority": "801",
    "as_of": date(2026, 9, 7),
    "first": 400,
    "analyse_on": date(2027, 9, 1),
    "seed": 5,
    "arms": "order",
    "unit": "child",
    "outcome": "missing",
}


@given(st.lists(st.booleans(), min_size=40, max_size=40), st.integers(1, 39))
def test_whoever_works_through_the_list_reaches_as_large_a_part_of_both_arms(first, most):
    first = np.array(first)
    place = places(first, keys("risk", RISK, RISK, RISK), keys("random", RISK, RISK, RISK[::-1]), NOBODY)
    assert sorted(place) == list(range(40))
    for arm in (first, ~first):
        if arm.any():
            assert abs((place < most)[arm].mean() - most / 40) <= 1 / arm.sum()


def test_each_arm_stands_in_its_own_order():
    due = np.full(40, np.inf)
    due[[7, 21, 30]] = [3, 1, 2]
    first, lot = np.arange(40) % 2 == 0, np.random.default_rng(1).random(40)
    place = places(first, keys("risk", RISK, due, lot), keys("deadline", RISK, due, lot), NOBODY)
    by_risk = np.flatnonzero(first)[np.argsort(place[first])]
    assert (np.diff(RISK[by_risk]) < 0).all()
    others = np.flatnonzero(~first)[np.argsort(place[~first])]
    assert others[:2].tolist() == [21, 7]
    assert (np.diff(lot[others[2:]]) > 0).all()


def test_children_with_a_duty_that_is_due_go_before_both_orders():
    soon = np.isin(np.arange(40), [12, 33])
    place = places(np.arange(40) % 2 == 0, np.arange(40), np.arange(40), soon)
    assert sorted(place[soon]) == [0, 1]


def test_the_lot_of_the_order_follows_from_seed_and_salt():
    assert (lots(1, "ff", 20) == lots(1, "ff", 20)).all()
    assert (lots(1, "ff", 20) != lots(1, "fe", 20)).all()


def test_worlds_reach_so_many_and_by_risk_those_of_the_highest():
    arm = np.random.default_rng(2).random((40, 50)) < 0.5
    how = {"risk": RISK, "due": np.full(40, np.inf), "soon": NOBODY, "most": 10}
    found = reached(("risk", "random"), arm, rng=np.random.default_rng(3), **how)
    assert (found.sum(0) == 10).all()
    assert RISK[:, None].repeat(50, 1)[found & arm].mean() > RISK[:, None].repeat(50, 1)[found & ~arm].mean() + 0.2


@pytest.mark.parametrize("unit", ["child", "school"])
def test_500_worlds_have_few_false_findings_and_find_an_order_that_helps(unit):
    """Half the children are at 80% and half at 5%; help nearly always keeps a child."""
    each = {"child": 1, "school": 8}[unit]
    of = np.repeat(np.arange(400 // each), each)
    risk = np.where(np.random.default_rng(4).random(400) < 0.5, 0.8, 0.05)
    plan = TrialPlan(**{**PLAN, "unit": unit}, orders=("risk", "random"), reached=150, ratio=0.1)
    power = power_of(plan, Sample(unit=of, risk=risk, excepted=np.zeros(400, bool)), 500, 999)
    assert 0.01 < power.size.value <= LEVEL + 3 * (LEVEL * (1 - LEVEL) / 500) ** 0.5
    assert power.power.value >= 0.8
