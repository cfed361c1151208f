"""``onroll trial`` from the plan to the analysis on a store with a stored list, and everything that must not work."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from serving.cli.main import onroll
from serving.store.trials import trials
from serving.trials.allocation import arm_of
from tests.support.monitored import DAY, name, scores
from tests.support.stores import ADMIN, do, tamper
from tests.support.trial_runs import (
    RISKS,
    START,
    begun,
    filled_store,
    in_arm,
    members,
    plan,
    run,
    starting_on,
    write,
)


@pytest.fixture
def store(monkeypatch):
    return filled_store(monkeypatch)


def test_the_file_names_those_who_are_helped_and_only_its_owner_reads_it(store):
    begun()
    with Path("help_now.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {r["pupil_id"] for r in rows} == set(in_arm(store, "help_now"))
    assert Path("help_now.csv").stat().st_mode & 0o077 == 0
    assert all(int(r["rank"]) <= 80 for r in rows)


def test_too_little_power_is_not_registered(store):
    plan(first=25)
    assert "the power is" in run("plan", "plan.toml", code=1)
    assert "not registered" in run("start", "plan.toml", "--out", "x.csv", code=1)
    assert not Path("x.csv").exists()


def test_a_dry_run_registers_nothing(store):
    plan()
    assert run("plan", "plan.toml", "--dry-run", "--json")["power"]["value"] >= 0.8
    assert "not registered" in run("start", "plan.toml", "--out", "x.csv", code=1)


def test_a_plan_cannot_be_changed_or_registered_again(store):
    begun()
    Path("plan.toml").write_text(Path("plan.toml").read_text().replace("seed = 11", "seed = 12"))
    for words in (("status", "plan.toml"), ("analyse", "plan.toml", "h"), ("start", "plan.toml", "--out", "x.csv")):
        write()
        assert "changed since it was registered" in run(*words, code=1)
    assert "registered already" in run("plan", "plan.toml", code=1)


def test_a_trial_starts_once(store):
    begun()
    before = members(store)
    assert "has started already" in run("start", "plan.toml", "--out", "x.csv", code=1)
    assert members(store).equals(before)


def test_nobody_joins_between_the_registration_and_the_start(store):
    """From the registration on the lot can be foreseen, so the children must be those of the plan."""
    plan(first=80)
    run("plan", "plan.toml")
    store.save([s | {"rank": 101 - s["rank"]} for s in scores(RISKS)])
    assert "has changed since the plan was registered" in run("start", "plan.toml", "--out", "x.csv", code=1)


def test_the_allocation_follows_from_seed_salt_and_unit(store):
    begun()
    with store.view(ADMIN) as view:
        salt = trials.registered(view, "spring-2024").salt
        view.record("trial.plan_seen")
    rows = members(store)
    assert [arm_of(unit, 11, salt) for unit in rows["unit"]] == rows["arm"].to_list()
    assert set(rows["arm"]) == {"help_now", "usual"}


def test_an_arm_that_somebody_changed_is_found(store):
    """Whoever can write to the database can change an arm, but not unseen."""
    begun()
    write()
    helped = in_arm(store, "help_now")[0]
    tamper(store, f"UPDATE trial_allocations SET arm = 'usual' WHERE pupil_id = '{helped}'")
    for words in (("analyse", "plan.toml", "h"), ("status", "plan.toml")):
        assert "the lot gave 1 child another arm" in run(*words, code=1)


def test_the_salt_cannot_be_changed_with_the_audit(store):
    """Every step that uses the salt verifies the audit before."""
    plan()
    run("plan", "plan.toml")
    tamper(store, "UPDATE audit SET who = 'nobody' WHERE seq = 2")
    assert "the audit does not verify" in run("start", "plan.toml", "--out", "x.csv", code=1)


def test_status_and_analysis_refuse_an_audit_that_does_not_verify(store):
    begun()
    write()
    tamper(store, "UPDATE audit SET who = 'nobody' WHERE seq = 2")
    for words in (("status", "plan.toml"), ("analyse", "plan.toml", "h")):
        assert "the audit does not verify" in run(*words, code=1)


@pytest.mark.parametrize("out", ["plan.toml/help_now.csv", "x" * 250 + ".csv"])
def test_nobody_is_allocated_if_the_list_of_whom_to_help_cannot_be_written(store, out):
    plan()
    run("plan", "plan.toml")
    answer = CliRunner().invoke(onroll, ["trial", "start", "plan.toml", "--out", out])
    assert isinstance(answer.exception, OSError)
    assert members(store).is_empty()
    run("start", "plan.toml", "--out", "help_now.csv")
    assert not members(store).is_empty()


@pytest.mark.parametrize(
    ("today", "changes", "message"),
    [
        (date(2024, 1, 30), (), "the list is 15 days old, and the plan allows 14"),
        (date(2026, 9, 7), (), "and is analysed from 2024-09-01"),
        (date(2024, 1, 19), (("seed = 11", "seed = 11\nmax_days = 3"),), "the list is 4 days old"),
        (START, (("2024-09-01", "2024-02-28"),), "has its outcomes on 2024-02-29, and is analysed from 2024-02-28"),
    ],
)
def test_a_trial_does_not_start_late(store, monkeypatch, today, changes, message):
    plan("contact")
    for old, new in changes:
        Path("plan.toml").write_text(Path("plan.toml").read_text().replace(old, new))
    run("plan", "plan.toml")
    starting_on(monkeypatch, today)
    assert message in run("start", "plan.toml", "--out", "x.csv", code=1)
    assert members(store).is_empty()


def test_no_child_is_registered_twice_on_one_list(store):
    """A second registration draws a new salt: whoever could register again could look at several lots and take one."""
    plan()
    run("plan", "plan.toml")
    for first in (80, 79):
        plan(first=first)
        Path("plan.toml").write_text(Path("plan.toml").read_text().replace("spring-2024", f"again-{first}"))
        assert f"a registered plan on the same list has {first} children" in run("plan", "plan.toml", code=1)


@pytest.mark.parametrize("weeks", [2, 100])
def test_nobody_takes_part_in_two_trials_at_once(store, monkeypatch, weeks):
    """Start, look, stop and start again would be a lot of one's choice, and help in one trial would count in the other."""
    begun()
    monkeypatch.setattr(trials, "london_today", lambda: START + timedelta(weeks=weeks))
    next_week = DAY + timedelta(weeks=1)
    store.save([s | {"as_of": str(next_week)} for s in scores(RISKS)])
    text = Path("plan.toml").read_text().replace("spring-2024", "again").replace(str(DAY), str(next_week))
    Path("plan.toml").write_text(text)
    if weeks == 2:
        assert "80 children of this plan take part in a trial that runs" in run("plan", "plan.toml", code=1)
    else:
        run("plan", "plan.toml")  # its time is over


def test_registration_start_and_exceptions_lock_before_they_read(store, monkeypatch):
    """PostgreSQL lets two transactions read the same state; whoever locks first makes the other wait, and see what was written."""

    class Locked(Exception):
        pass

    def lock(connection):
        raise Locked

    def cut_off(change, work, *words, **more):
        change.connection = object()  # so that whatever reads before it locks fails
        work(change, *words, **more)

    monkeypatch.setattr(store.chain, "lock", lock)
    place = {"authority": "801", "as_of": DAY, "pupils": []}
    for work, words, more in (
        (trials.register, ("spring-2024", "d" * 64), {**place, "members": ""}),
        (trials.start, ("spring-2024", []), {}),
        (trials.add_exceptions, ("spring-2024", [], "deadline"), {}),
    ):
        with pytest.raises(Locked):
            do(store, cut_off, work, *words, **more)


def test_families_stay_together_from_the_stored_homes(store):
    from serving.casework.family import AtHome
    from serving.store.cases import casework
    from tests.support.stores import gathered

    pupils = [name(n) for n in range(40)]
    kept = gathered(*pupils, as_of=DAY)
    at_home = [AtHome(pupil_id=p, home=f"{n // 2:032}") for n, p in enumerate(pupils)]
    from dataclasses import replace

    do(store, casework.keep, replace(kept, at_home=at_home, deadlines=[]), "1")
    plan(unit="child")
    assert "homes with several children" in run("plan", "plan.toml", code=1)
    begun(unit="family")
    arms = dict(members(store).select("pupil_id", "arm").iter_rows())
    assert all(arms[name(n)] == arms[name(n + 1)] for n in range(0, 40, 2))
    assert members(store)["unit"].n_unique() == 60


WINDOWS = {
    "summer": (date(2024, 7, 22), "contact", (), "from 2024-07-22 until before 2024-09-02 there are 0 school days"),
    "summer, attendance": (date(2024, 7, 22), "attendance", (), "a trial needs 4"),
    "a wedge over Easter": (
        date(2024, 3, 29),
        "attendance",
        (
            ('unit = "child"', 'unit = "school"\narms = "wedge"\nsteps = 4\nstep_weeks = 1'),
            ("analyse_on = 2024-09-01", "analyse_on = 2024-12-01"),
        ),
        "from 2024-03-29 until before 2024-04-05 there are 0 school days",
    ),
    "closed": (date(2024, 1, 15), "contact", (("weeks = 6", "weeks = 1"),), "there are 3 school days"),
    "before it is known": (
        date(2024, 1, 15),
        "missing",
        (("2024-09-01", "2024-07-12"),),
        "is known on 2024-07-13, and the trial is analysed from 2024-07-12",
    ),
}


@pytest.mark.parametrize("case", list(WINDOWS))
def test_a_plan_whose_outcome_cannot_be_measured_is_refused(store, monkeypatch, case):
    """Nobody attends in the holidays, and the power of such a plan is that of no trial."""
    day, outcome, changes, message = WINDOWS[case]
    store.save([s | {"as_of": str(day), "urn": f"{100 + n % 20}"} for n, s in enumerate(scores(RISKS))])
    plan(outcome)
    text = Path("plan.toml").read_text().replace("as_of = 2024-01-15", f"as_of = {day}\nweeks = 6")
    for old, new in changes:
        text = text.replace(old, new)
    if "wedge" in text or outcome == "missing":
        text = text.replace("weeks = 6\n", "", 1)
    Path("plan.toml").write_text(text.replace("2024-09-01", "2025-09-01") if day.month == 7 else text)
    Path("pages.toml").write_text("[calendar]\nclosed = [2024-01-17, 2024-01-18]\n")
    monkeypatch.setenv("ONROLL_PAGES", "pages.toml")
    assert message in run("plan", "plan.toml", code=1)
    assert "not registered" in run("start", "plan.toml", "--out", "x.csv", code=1)


def test_a_list_without_marks_has_no_attendance_to_measure(store):
    plan("attendance")
    tamper(store, """UPDATE score_lists SET sources = '{"suspensions": "2024-01-14"}'""")
    assert "attendance is not known" in run("plan", "plan.toml", code=1)
    tamper(store, """UPDATE score_lists SET sources = '{"attendance": "2024-01-14"}'""")
    run("plan", "plan.toml")


def test_a_trial_does_not_start_in_the_holidays(store, monkeypatch):
    """The plan was right for the day of its list; the lot was drawn too late."""
    day = date(2024, 7, 8)
    store.save([s | {"as_of": str(day)} for s in scores(RISKS)])
    plan("attendance")
    text = Path("plan.toml").read_text().replace("2024-01-15", str(day)).replace("2024-09-01", "2025-09-01")
    Path("plan.toml").write_text(text.replace("seed = 11", "seed = 11\nweeks = 4"))
    run("plan", "plan.toml")
    starting_on(monkeypatch, date(2024, 7, 20))
    assert "until before 2024-08-17 there are 0 school days" in run("start", "plan.toml", "--out", "x.csv", code=1)
    assert members(store).is_empty()
