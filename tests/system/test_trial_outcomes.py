"""What a trial finds: outcomes by arm from histories and cases, safety exceptions, and every child accounted for."""

import csv
import json
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from serving.cli.main import onroll
from serving.store.cases import cases
from serving.store.database import reading
from serving.store.records import erasure
from serving.store.tables import Pupil
from serving.store.trials.tables import TrialAllocation, TrialException
from tests.support.monitored import DAY, name
from tests.support.stores import do, verified
from tests.support.trial_runs import (
    begun,
    filled_store,
    in_arm,
    members,
    number,
    run,
    write,
)


@pytest.fixture
def store(monkeypatch):
    return filled_store(monkeypatch)


def test_the_effect_of_help_is_found_and_every_child_is_accounted_for(store):
    """Nobody who is helped goes missing, and two in three of the others do."""
    begun()
    usual = in_arm(store, "usual")
    write(gone=[number(p) for p in usual if number(p) % 3], left_before=[number(p) for p in usual[:1]])
    found = run("analyse", "plan.toml", "h", "--json")
    assert found["help_now"] == 0
    assert found["usual"] > 0.4
    low, high = found["interval"]
    assert low < found["difference"] < high < 0
    assert found["p"] < 0.01
    flow, arms = found["flow"], found["flow"]["arms"]
    assert (flow["assessed"], flow["not_eligible"], flow["allocated"]) == (100, 20, 80)
    for arm in arms.values():
        assert arm["allocated"] == arm["erased"] + sum(arm["lost"].values()) + arm["analysed"]
    assert arms["usual"]["lost"] == {"had_left_before_the_day": 1}
    text = run("analyse", "plan.toml", "h")
    assert "Help now made a difference of -0." in text
    assert "analysed 1 time before" in text
    assert "p0" not in text
    assert verified(store).whole


def test_no_effect_is_not_called_a_proof_of_none(store):
    """One in four of each arm goes missing, whatever the lot."""
    begun()
    write(gone=[number(p) for arm in ("help_now", "usual") for p in in_arm(store, arm)[::4]])
    text = run("analyse", "plan.toml", "h")
    assert "No difference was shown" in text
    assert "not a proof of none" in text


def test_a_safety_exception_is_helped_and_stays_in_its_arm(store):
    """By intention to treat: children who are excepted, and whom that helps, still count in the arm of the lot."""
    begun()
    usual = in_arm(store, "usual")
    write(gone=[number(p) for p in usual[5:]])
    Path("asked.txt").write_text("\n".join([*usual[:5], "p9999"]))
    answer = CliRunner().invoke(
        onroll, ["trial", "status", "plan.toml", "--asked-by-social-worker", "asked.txt", "--json"]
    )
    counted = json.loads(answer.stdout)
    assert (answer.exit_code, counted["not_in_trial"]) == (1, 1)
    assert counted["exceptions"] == {"deadline": 0, "social_worker": 5}
    assert counted["arms"]["usual"] == {"children": len(usual), "units": len(usual), "exceptions": 5}
    found = run("analyse", "plan.toml", "h", "--json")
    arm = found["flow"]["arms"]["usual"]
    assert (arm["exceptions"], arm["analysed"]) == (5, len(usual))
    assert found["usual"] == pytest.approx(1 - 5 / len(usual))
    assert in_arm(store, "usual") == usual
    with reading(store.engine) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(TrialException)) == 5


def test_a_deadline_that_runs_is_an_exception_from_the_start_and_later(store):
    from serving.store.cases import casework
    from tests.support.stores import gathered

    do(store, casework.keep, gathered(name(0), as_of=DAY), "1")
    begun()
    assert run("status", "plan.toml", "--json")["exceptions"]["deadline"] == 1
    with Path("help_now.csv").open() as file:
        why = {r["pupil_id"]: r["why"] for r in csv.DictReader(file)}
    assert name(0) in why
    do(store, casework.keep, gathered(name(1), as_of=DAY), "1")
    assert run("status", "plan.toml", "--json")["exceptions"]["deadline"] == 2


def test_contacts_are_read_from_the_cases_of_the_weeks(store):
    begun("contact")
    helped = in_arm(store, "help_now")
    for pupil, day, outcome in (
        (helped[0], date(2024, 1, 20), "spoke_well"),
        (helped[1], date(2024, 1, 20), "no_answer"),
        (helped[2], date(2024, 6, 1), "spoke_well"),
        (helped[3], date(2024, 1, 17), "spoke_well"),  # before the lot
    ):
        with reading(store.engine) as connection:
            ref = connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == pupil))
        do(store, cases.contact, do(store, cases.open_case, ref), 1, day, outcome)
    write()
    found = run("analyse", "plan.toml", "h", "--json")
    assert found["help_now"] == pytest.approx(1 / len(helped))
    assert found["usual"] == 0
    assert "No difference" in found["conclusion"]


def test_attendance_is_the_share_of_possible_sessions_of_the_weeks(store):
    begun("attendance")
    helped, usual = in_arm(store, "help_now"), in_arm(store, "usual")
    marks = []
    for pupil in [*helped, *usual[1:]]:
        for n, day in enumerate(("2024-01-17", "2024-01-18", "2024-01-19", "2024-02-28", "2024-02-29")):
            absent = n in (0, 4) or (
                pupil in usual and n < 3
            )  # what comes before the lot, or after six weeks, does not count
            code = "O" if absent else "/"
            marks.append({"pupil_id": pupil, "date": day, "session": "AM", "code": code})
    write(attendance=marks)
    found = run("analyse", "plan.toml", "h", "--json")
    assert (found["help_now"], found["usual"]) == (1.0, pytest.approx(1 / 3))
    assert found["flow"]["arms"]["usual"]["lost"] == {"no_mark_in_the_weeks": 1}


def test_nothing_is_analysed_before_its_day_and_the_status_shows_no_outcome(store):
    begun()
    write(end=date(2024, 8, 31))
    assert "is analysed from 2024-09-01, and the histories reach 2024-08-31" in run("analyse", "plan.toml", "h", code=1)
    assert set(run("status", "plan.toml", "--json")["arms"]["usual"]) == {"children", "units", "exceptions"}


def test_erased_children_are_counted_and_leave_nothing(store):
    begun()
    write()
    gone = members(store)["pupil_id"][0]
    do(store, erasure.erase, [gone], "asked")
    with reading(store.engine) as connection:
        rows = sa.select(sa.func.count()).select_from(TrialAllocation).where(TrialAllocation.pupil_id == gone)
        assert connection.scalar(rows) == 0
    arms = run("analyse", "plan.toml", "h", "--json")["flow"]["arms"]
    assert sum(arm["erased"] for arm in arms.values()) == 1
    for arm in arms.values():
        assert arm["allocated"] == arm["erased"] + sum(arm["lost"].values()) + arm["analysed"]
