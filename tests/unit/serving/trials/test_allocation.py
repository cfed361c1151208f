"""The lot: the same for the same seed, salt and unit, whatever the order; brothers and sisters stay together; nobody gets a say."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from histories.errors import Faults
from serving.trials.allocation import MIN_UNITS, arm_of, check_units, units_of
from serving.trials.plan import ARMS, HELP_NOW

SALT = "0123456789abcdef0123456789abcdef"
PUPILS = [f"p{n:04}" for n in range(2000)]


def units(pupils, kind="child", homes=None, urns=None):
    return units_of(kind, pupils, urns or {}, homes or {}, str)


def lot(pupils, seed=7, salt=SALT, kind="child", homes=None):
    return {p: arm_of(unit, seed, salt) for p, unit in zip(pupils, units(pupils, kind, homes), strict=True)}


@given(st.lists(st.sampled_from(PUPILS[:60]), min_size=1, unique=True), st.integers(0, 2**40))
def test_an_arm_does_not_depend_on_the_order_of_the_children(pupils, seed):
    assert lot(list(reversed(pupils)), seed) == lot(pupils, seed)


@given(st.lists(st.integers(0, 20), min_size=50, max_size=50))
def test_a_unit_says_nothing_of_its_children(home_of):
    """Other children in the same homes have the same units: a number leaves no trace of who was erased, and does not link pseudonyms."""
    first, others = PUPILS[:50], [f"q{n:04}" for n in range(50)]
    homes = [{p: f"home{h:02}" for p, h in zip(pupils, home_of, strict=True)} for pupils in (first, others)]
    assert units(first, "family", homes[0]) == units(others, "family", homes[1])
    assert units(first) == units(others)


def test_the_lot_is_fair_and_another_one_with_another_seed_or_salt():
    first = np.array([arm == HELP_NOW for arm in lot(PUPILS).values()])
    others = [lot(PUPILS, seed=8), lot(PUPILS, salt="f" * 32)]
    assert set(lot(PUPILS).values()) == set(ARMS)
    for drawn in [first] + [np.array([arm == HELP_NOW for arm in other.values()]) for other in others]:
        assert abs(drawn.mean() - 0.5) < 4 * 0.5 / len(PUPILS) ** 0.5
    for other in others:
        drawn = np.array([arm == HELP_NOW for arm in other.values()])
        assert abs((drawn == first).mean() - 0.5) < 4 * 0.5 / len(PUPILS) ** 0.5


@given(st.lists(st.integers(0, 20), min_size=50, max_size=50), st.integers(0, 2**40))
def test_children_of_a_home_are_in_one_arm(home_of, seed):
    homes = {p: f"home{h}" for p, h in zip(PUPILS, home_of, strict=False)}
    arms = lot(list(homes), seed, kind="family", homes=homes)
    assert all(len({arms[p] for p in homes if homes[p] == home}) == 1 for home in set(homes.values()))


def test_siblings_are_not_parted_child_by_child_and_are_counted_where_schools_part_them():
    pupils = PUPILS[: MIN_UNITS + 2]
    homes = dict.fromkeys(pupils[:2], "h")
    child = units(pupils, "child", homes)
    with pytest.raises(Faults, match="1 home with several children"):
        check_units("child", pupils, child, homes)
    assert check_units("child", pupils, child, {}) == 0
    assert check_units("family", pupils, units(pupils, "family", homes), homes) == 0
    schools = units(pupils, "school", homes, {p: str(n) for n, p in enumerate(pupils)})
    assert check_units("school", pupils, schools, homes) == 1


def test_too_few_units_are_refused():
    pupils = PUPILS[: MIN_UNITS - 1]
    with pytest.raises(Faults, match="only 19 units"):
        check_units("child", pupils, units(pupils), {})


def test_nothing_that_allocates_takes_an_arm():
    """Neither a function on the way nor an option of the verb lets anybody name an arm."""
    from serving.cli.trial import trial
    from serving.trials.trial import start_trial

    for function in (arm_of, units_of, start_trial):
        assert not [name for name in inspect.signature(function).parameters if "arm" in name]
    commands = [*trial.commands.values(), *trial.commands["checks"].commands.values()]
    options = {o for command in commands for p in command.params for o in p.opts}
    assert options == {
        "plan_file",
        "histories",
        "--dry-run",
        "--json",
        "--out",
        "--asked-by-social-worker",
        "--definition",
        "--cohort",
        "--exact",
        "name",
        "--reason",
    }


def test_no_route_changes_a_trial():
    from serving.access.permissions import RULES

    rules = [rule for rule in RULES if "trial" in f"{rule.route} {rule.sees}"]
    assert [(rule.method, rule.route) for rule in rules] == [("GET", "/monitor")]
