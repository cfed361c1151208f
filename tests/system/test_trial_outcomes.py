"""What a trial finds: outcomes by arm from histories and cases, safety exceptions, and every child accounted for."""

import csv
import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from histories.errors import Faults
from serving.cli.main import onroll
from serving.store.audit import audit_log
from serving.store.cases import cases, casework
from serving.store.database import reading
from serving.store.records import erasure
from serving.store.tables import Pupil
from serving.store.trials import checks as checks_stored
from serving.store.trials import trials
from serving.store.trials.tables import TrialAllocation, TrialException
from serving.trials import trial
from tests.support.monitored import DAY, name
from tests.support.stores import ADMIN, do, gathered, verified
from tests.support.trial_runs import (
    START,
    begun,
    filled_store,
    in_arm,
    looking_on,
    members,
    number,
    plan,
    run,
    write,
)


def stop(store, day):
    trial.stop_trial(store, ADMIN, "spring-2024", "The team has nobody.", today=day)


def with_duty(pupil, start):
    """Return case material of a child with a duty that begins on a day."""
    kept = gathered(pupil, as_of=start)
    return replace(kept, deadlines=[replace(d, started_on=start) for d in kept.deadlines], at_home=[])


def plans_of(store):
    with store.view(ADMIN) as view:
        view.record("trials.seen")
        return trials.plans(view)


def audit_of(store):
    with store.view(ADMIN) as view:
        view.record("audit.seen")
        return list(audit_log.entries(view))


@pytest.fixture
def store(monkeypatch):
    return filled_store(monkeypatch)


def test_the_effect_of_help_is_found_and_every_child_is_accounted_for(store):
    """Nobody who is helped goes missing, and two in three of the others do."""
    begun()
    usual = in_arm(store, "usual")
    write(gone=[number(p) for p in usual if number(p) % 3], left_before=[number(p) for p in usual[:1]])
    found = run("analyse", "plan.toml", "h", "--exact", "--json")
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
    text = run("analyse", "plan.toml", "h", "--exact")
    assert "Help now made a difference of -0." in text
    assert "analysed 1 time before" in text
    assert "p0" not in text
    assert verified(store).whole


def test_no_effect_is_not_called_a_proof_of_none(store):
    """One in four of each arm goes missing, whatever the lot."""
    begun()
    write(gone=[number(p) for arm in ("help_now", "usual") for p in in_arm(store, arm)[::4]])
    text = run("analyse", "plan.toml", "h", "--exact")
    assert "No difference was shown" in text
    assert "not a proof of none" in text


def test_a_safety_exception_is_helped_and_stays_in_its_arm(store):
    """By intention to treat: children who are excepted, and whom that helps, still count in the arm of the lot."""
    begun()
    usual = in_arm(store, "usual")
    write(gone=[number(p) for p in usual[5:]])
    Path("asked.txt").write_text("\n".join([*usual[:5], "p9999"]))
    answer = CliRunner().invoke(
        onroll, ["trial", "status", "plan.toml", "--asked-by-social-worker", "asked.txt", "--exact", "--json"]
    )
    counted = json.loads(answer.stdout)
    assert (answer.exit_code, counted["not_in_trial"]) == (1, 1)
    assert counted["exceptions"] == {"deadline": 0, "social_worker": 5}
    assert counted["arms"]["usual"] == {"children": len(usual), "units": len(usual), "exceptions": 5}
    found = run("analyse", "plan.toml", "h", "--exact", "--json")
    arm = found["flow"]["arms"]["usual"]
    assert (arm["exceptions"], arm["analysed"]) == (5, len(usual))
    assert found["usual"] == pytest.approx(1 - 5 / len(usual))
    assert in_arm(store, "usual") == usual
    with reading(store.engine) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(TrialException)) == 5


def test_a_deadline_that_runs_is_an_exception_from_the_start_and_later(store):
    do(store, casework.keep, with_duty(name(0), DAY), "1")
    begun()
    assert run("status", "plan.toml", "--exact", "--json")["exceptions"]["deadline"] == 1
    with Path("help_now.csv").open() as file:
        why = {r["pupil_id"]: r["why"] for r in csv.DictReader(file)}
    assert name(0) in why
    do(store, casework.keep, with_duty(name(1), START), "1")
    assert run("status", "plan.toml", "--exact", "--json")["exceptions"]["deadline"] == 2


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
    found = run("analyse", "plan.toml", "h", "--exact", "--json")
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
    found = run("analyse", "plan.toml", "h", "--exact", "--json")
    assert (found["help_now"], found["usual"]) == (1.0, pytest.approx(1 / 3))
    assert found["flow"]["arms"]["usual"]["lost"] == {"no_mark_in_the_weeks": 1}


def test_attendance_is_not_analysed_while_marks_end_before_the_weeks_do(store):
    """However new another table is: five days of marks are no six weeks."""
    begun("attendance")
    days = [str(START + timedelta(days=n)) for n in range(5)]
    pupils = [*in_arm(store, "help_now"), *in_arm(store, "usual")]
    marks = [{"pupil_id": p, "date": day, "session": "AM", "code": "/"} for p in pupils for day in days]
    write(attendance=marks)
    assert "marks of authority 801 end on 2024-01-22" in run("analyse", "plan.toml", "h", code=1)


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
    arms = run("analyse", "plan.toml", "h", "--exact", "--json")["flow"]["arms"]
    assert sum(arm["erased"] for arm in arms.values()) == 1
    for arm in arms.values():
        assert arm["allocated"] == arm["erased"] + sum(arm["lost"].values()) + arm["analysed"]


def test_an_exception_after_the_end_is_none(store, monkeypatch):
    """Whoever is helped after the trial is no exception of it, and must not look like one in the CONSORT counts."""
    begun("contact")
    one, two = in_arm(store, "usual")[:2]
    Path("asked.txt").write_text(f"{one}\n")
    for day, code in ((date(2024, 2, 29), 1), (date(2024, 2, 28), 0)):  # six weeks from the start, and the day before
        looking_on(monkeypatch, day)
        answer = CliRunner().invoke(
            onroll, ["trial", "status", "plan.toml", "--asked-by-social-worker", "asked.txt", "--exact", "--json"]
        )
        assert answer.exit_code == code, answer.output
        assert json.loads(answer.stdout)["exceptions"]["social_worker"] == 1 - code
    do(store, casework.keep, with_duty(two, date(2024, 2, 29)), "1")
    looking_on(monkeypatch, date(2024, 3, 11))
    data = run("status", "plan.toml", "--exact", "--json")
    assert (data["exceptions"]["deadline"], data["ends"], data["ended"]) == (0, "2024-02-29", True)


def test_a_trial_of_going_missing_ends_with_the_window_of_its_list(store):
    begun()
    assert run("status", "plan.toml", "--json")["ends"] == str(DAY + timedelta(days=120))


def test_a_stopped_trial_is_analysed_as_one_and_its_children_can_be_checked_again(store):
    begun("contact")
    in_trial = checks_stored.looked_at
    with store.view(ADMIN) as view:
        assert len(in_trial(view, date(2024, 2, 1))["in_trial"]) == 80
        assert not in_trial(view, date(2024, 2, 29))["in_trial"]  # six weeks after its start it no longer runs
        view.record("trial.seen")
    stop(store, day=date(2024, 2, 1))
    with store.view(ADMIN) as view:
        assert not in_trial(view, date(2024, 2, 1))["in_trial"]
        view.record("trial.seen")
    write()
    for n, day in enumerate((date(2024, 1, 31), date(2024, 2, 1))):  # what comes after the stop does not count
        with reading(store.engine) as connection:
            pupil = in_arm(store, "help_now")[n]
            ref = connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == pupil))
        do(store, cases.contact, do(store, cases.open_case, ref), 1, day, "spoke_well")
    found = run("analyse", "plan.toml", "h", "--exact", "--json")
    assert found["stopped"] == {"day": "2024-02-01", "reason": "The team has nobody."}
    assert found["help_now"] == pytest.approx(1 / len(in_arm(store, "help_now")))
    text = run("analyse", "plan.toml", "h", "--exact")
    assert "Stopped early, on 2024-02-01: The team has nobody." in text
    assert "less power than was planned" in text
    assert "stopped early on 2024-02-01: The team has nobody." in run("status", "plan.toml")
    assert [p["stopped_on"] for p in plans_of(store)] == ["2024-02-01"]
    assert "trial.stopped" in {e["action"] for e in audit_of(store)}
    assert verified(store).whole


def test_only_a_trial_that_runs_can_be_stopped_and_only_with_a_reason(store):
    plan("contact")
    run("plan", "plan.toml")
    for name_, reason in (("spring-2024", "why"), ("unknown", "why")):
        assert "no trial of this name runs" in run("stop", name_, "--reason", reason, code=1)
    run("start", "plan.toml", "--out", "help_now.csv")
    assert "no trial of this name runs" in run("stop", "spring-2024", "--reason", "it is over by now", code=1)
    for reason in (" ", "x" * 501):
        with pytest.raises(Faults, match="no reason, or it is too long"):
            trial.stop_trial(store, ADMIN, "spring-2024", reason, today=date(2024, 2, 1))
    stop(store, day=date(2024, 2, 1))
    with pytest.raises(Faults, match="no trial of this name runs"):
        stop(store, day=date(2024, 2, 2))


def test_a_trial_that_was_stopped_at_once_has_nothing_to_compare(store):
    begun("contact")
    stop(store, day=START)
    write()
    assert "stopped before there was anything to compare" in run("analyse", "plan.toml", "h", code=1)
