"""What an analysis says when no interval can be computed."""

from datetime import date

import polars as pl

from serving.store.trials.trials import Registered
from serving.trials.allocation import arm_of
from serving.trials.analysis import analyse
from serving.trials.plan import HELP_NOW, TrialPlan

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
    assert analysis.to_dict()["interval"] is None
    assert "no interval can be computed: an arm has fewer than two units" in analysis.conclusion
    assert "nan" not in analysis.text()
