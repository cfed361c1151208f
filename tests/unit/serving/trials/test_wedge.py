"""A stepped wedge: the order follows from the lot, weeks are not taken for help, and the interval is what the test does not refuse."""

from datetime import date

import numpy as np
import pytest

from histories.errors import Faults
from serving.trials.effects import LEVEL
from serving.trials.plan import TrialPlan
from serving.trials.power import power_of
from serving.trials.sample import Sample
from serving.trials.wedge.effects import effects, helped, interval
from serving.trials.wedge.lot import must_have_orders, orders, sizes_of, steps_of
from serving.trials.wedge.worlds import DRIFT, outcomes

PLAN = {
    "name": "abc",
    "question": "Does help that begins by schools raise attendance?",
    "authority": "801",
    "as_of": date(2026, 9, 7),
    "first": 400,
    "analyse_on": date(2027, 9, 1),
    "seed": 5,
    "arms": "wedge",
    "steps": 4,
    "step_weeks": 3,
    "unit": "school",
}
EXPECTED = {"attendance": {"control": 0.8, "treated": 0.88}, "contact": {"control": 0.4, "treated": 0.55}}
UNITS, EACH = 24, 12
SAMPLE = Sample(
    unit=np.repeat(np.arange(UNITS), EACH), risk=np.full(UNITS * EACH, 0.2), excepted=np.zeros(UNITS * EACH, bool)
)


def plan(outcome, **changes):
    return TrialPlan(outcome=outcome, **EXPECTED[outcome], **{**PLAN, **changes})


def test_the_order_follows_from_seed_salt_and_number_of_units():
    assert steps_of(11, 4, 1, "ff") == steps_of(11, 4, 1, "ff")
    assert [steps_of(11, 4, 1, "ff").count(step) for step in (1, 2, 3, 4)] == sizes_of(11, 4) == [3, 3, 3, 2]
    assert len({tuple(steps_of(11, 4, seed, salt)) for seed in (1, 2) for salt in ("ff", "fe")}) == 4


def test_each_unit_is_as_likely_to_begin_at_each_step():
    begins = np.array([steps_of(8, 4, 1, f"{salt:032x}") for salt in range(4000)])
    for step in (1, 2, 3, 4):
        assert abs((begins == step).mean(0) - 0.25).max() < 4 * (0.25 * 0.75 / 4000) ** 0.5


def test_too_few_orders_are_refused():
    assert orders(6, 2) == 20
    with pytest.raises(Faults, match="6 units can begin in too few orders at 2 steps"):
        must_have_orders([str(n) for n in range(6)], 2)
    must_have_orders([str(n) for n in range(8)], 4)


def test_the_estimate_is_that_of_a_regression_on_units_periods_and_help():
    rng = np.random.default_rng(1)
    begins, y, weight = np.array([1, 1, 2, 2, 3, 3]), rng.random((6, 4)), rng.integers(1, 30, 6).astype(float)
    columns = [np.repeat(np.eye(6), 4, 0), np.tile(np.eye(4), (6, 1)), helped(begins, 3).ravel()[:, None].astype(float)]
    root = np.sqrt(np.repeat(weight, 4))
    fitted = np.linalg.lstsq(root[:, None] * np.hstack(columns), root * y.ravel(), rcond=None)[0]
    assert effects(begins[:, None], y[..., None], weight, 1, 99).effect[0] == pytest.approx(fitted[-1])


def test_weeks_and_schools_are_not_taken_for_help():
    """Whatever moves all schools alike, or one school in all weeks, moves the estimate by nothing."""
    rng = np.random.default_rng(2)
    begins, y = np.repeat([1, 2, 3, 4], 3), rng.random((12, 5))
    moved = y - 0.3 * np.arange(5)[None, :] + rng.random((12, 1))
    first, second = (effects(begins[:, None], of[..., None], np.ones(12), 1) for of in (y, moved))
    assert second.effect[0] == pytest.approx(first.effect[0])
    assert second.p[0] == first.p[0]


def test_an_interval_holds_what_the_test_does_not_refuse():
    rng = np.random.default_rng(3)
    begins, noise = rng.permutation(np.repeat([1, 2, 3, 4], 6)), rng.normal(0, 0.05, (24, 5))
    y = 0.8 + noise + 0.1 * helped(begins, 4)
    low, high = interval(begins, y, np.ones(24), 1)
    assert 0 < low < effects(begins[:, None], y[..., None], np.ones(24), 1).effect[0] < high < 0.2
    for value, inside in ((low - 1e-3, False), (low + 1e-3, True), (high - 1e-3, True), (high + 1e-3, False)):
        without = y - value * helped(begins, 4)
        assert (effects(begins[:, None], without[..., None], np.ones(24), 1).p[0] > LEVEL) == inside, value


def test_intervals_cover_an_effect_that_is_there():
    rng, covered = np.random.default_rng(4), 0
    for _ in range(200):
        begins = rng.permutation(np.repeat([1, 2, 3], 4))
        y = rng.normal(0, 1, (12, 1)) + rng.normal(0, 0.5, (12, 4)) + 0.7 * helped(begins, 3)
        low, high = interval(begins, y, np.ones(12), 1, 399)
        covered += low <= 0.7 <= high
    assert covered >= 200 * 0.95 - 3 * (200 * 0.05 * 0.95) ** 0.5


@pytest.mark.parametrize("outcome", list(EXPECTED))
def test_500_worlds_have_few_false_findings_and_the_power_of_the_plan(outcome):
    power = power_of(plan(outcome), SAMPLE, 500, 999)
    assert 0.01 < power.size.value <= LEVEL + 3 * (LEVEL * (1 - LEVEL) / 500) ** 0.5
    assert power.power.value >= 0.8


def test_the_power_falls_where_less_of_a_difference_stays():
    few = Sample(unit=SAMPLE.unit[:120], risk=SAMPLE.risk[:120], excepted=SAMPLE.excepted[:120])
    most, less = (power_of(plan("attendance", stays=stays), few, 300, 499).power.value for stays in (0.9, 0.1))
    assert less < most - 0.1


@pytest.mark.parametrize("outcome", list(EXPECTED))
def test_the_worlds_have_the_means_of_the_plan(outcome):
    rng = np.random.default_rng(5)
    begins = np.repeat([1, 2, 3, 4], 6)[:, None].repeat(400, 1)
    of = plan(outcome)
    drawn = outcomes(of, SAMPLE, begins, rng, works=True)
    for on, mean in zip((False, True), of.means, strict=True):
        for period in range(5):
            cells = drawn[:, period][helped(begins, 4)[:, period] == on]
            if len(cells):
                assert cells.mean() == pytest.approx(mean + DRIFT * period / 4, abs=0.01)
