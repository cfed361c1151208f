"""What an analysis says when no interval can be computed."""

from datetime import date
from types import SimpleNamespace
from typing import get_args

import polars as pl
import pytest

from serving.store.trials.trials import Registered
from serving.trials.allocation import arm_of
from serving.trials.analysis import analyse
from serving.trials.plan import HELP_NOW, TrialPlan
from serving.trials.sentences import OUTCOMES, finding, is_better

SALT = "00"


def test_one_unit_in_an_arm_gives_no_interval_and_says_so():
    plan = TrialPlan(
        name="abc",
        question="Does help now help?",
        authority="801",
        as_of=date(2026, 9, 7),
        first=20,
        unit="child",
        outcome="contact",
        analyse_on=date(2027, 9, 1),
        seed=5,
        control=0.2,
        treated=0.7,
    )
    arms = {f"{n:04x}": arm_of(f"{n:04x}", plan.seed, SALT) for n in range(20)}
    helped = [unit for unit, arm in arms.items() if arm == HELP_NOW][:1]
    chosen = [*helped, *(unit for unit, arm in arms.items() if arm != HELP_NOW)]
    members = pl.DataFrame({"pupil_id": chosen, "unit": chosen, "arm": [arms[unit] for unit in chosen]})
    known = Registered(
        name="abc",
        digest="d",
        salt=SALT,
        at="2026-09-07",
        by="ann",
        definition="cme_register",
        horizon_days=120,
        members="m",
        units=20,
        started={"arms": {"help_now": 1, "usual": len(chosen) - 1}, "assessed": 20, "split_homes": 0},
        analysed=0,
    )
    outcome = pl.DataFrame(
        {"pupil_id": chosen, "value": [1.0, *[0.0] * (len(chosen) - 1)], "lost": [None] * len(chosen)}
    )
    analysis = analyse(plan, known, members, outcome, {"deadline": set(), "social_worker": set()})
    assert analysis.interval is None
    assert analysis.to_dict(exact=True)["interval"] is None
    assert "no interval can be computed: an arm has fewer than two units" in analysis.figures.conclusion(exact=True)
    assert "nan" not in analysis.text(exact=True)


@pytest.mark.parametrize("outcome", list(OUTCOMES))
@pytest.mark.parametrize("difference", [0.05, -0.05])
@pytest.mark.parametrize(
    ("p", "half", "is_shown"), [(0.01, 0.01, True), (0.01, None, True), (0.01, 0.05, False), (0.5, 0.01, False)]
)
def test_a_finding_names_the_outcome_and_whether_it_is_for_better_or_worse(outcome, difference, p, half, is_shown):
    """More children who go missing is harm, whatever the sign looks like; a difference is shown by the test and the interval alike."""
    plan = SimpleNamespace(outcome=outcome)
    interval = (difference - half, difference + half) if half else None
    said = finding(plan, "Help now", difference, interval, is_better(plan, difference, interval, p))
    assert OUTCOMES[outcome].what in said
    if not is_shown:
        assert is_better(plan, difference, interval, p) is None
        assert "better" not in said
        assert "worse" not in said
        return
    wanted = (difference > 0) == (outcome != "missing")
    assert is_better(plan, difference, interval, p) is wanted
    assert ("that is better" in said, "harm" in said) == (wanted, not wanted)


def test_every_outcome_of_a_plan_has_words_and_a_direction():
    assert set(OUTCOMES) == set(get_args(TrialPlan.model_fields["outcome"].annotation))
