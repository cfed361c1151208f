"""``onroll trial`` from the plan to the analysis on a store with a stored list, and everything that must not work."""

import csv
import json
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from histories.errors import Faults
from histories.settings import settings
from serving.cli.main import onroll
from serving.store import Store
from serving.store.cases import cases
from serving.store.database import reading
from serving.store.records import erasure
from serving.store.tables import Pupil
from serving.store.trials import trials
from serving.store.trials.tables import TrialAllocation, TrialException
from serving.trials.allocation import arm_of
from tests.support.databases import KEY
from tests.support.monitored import DAY, name, scores, tables
from tests.support.stores import ADMIN, do, tamper, verified

PLAN = """
name = "spring-2024"
question = "Does help now keep children in school?"
authority = "801"
as_of = 2024-01-15
first = {first}
unit = "{unit}"
outcome = "{outcome}"
analyse_on = 2024-09-01
seed = 11
icc = 0.0
{expected}
"""
EXPECTED = {
    "missing": "ratio = 0.3",
    "contact": "control = 0.2\ntreated = 0.7",
    "attendance": "control = 0.6\ntreated = 0.9",
}
RISKS = [0.5] * 100


@pytest.fixture
def store(monkeypatch):
    monkeypatch.setenv("ONROLL_AUDIT_KEY", KEY.decode())
    opened = Store.of(settings())
    opened.save(scores(RISKS))
    return opened


def plan(outcome="missing", first=80, unit="child"):
    Path("plan.toml").write_text(PLAN.format(outcome=outcome, first=first, unit=unit, expected=EXPECTED[outcome]))


def run(*words, code=0):
    answer = CliRunner().invoke(onroll, ["trial", *words])
    if code:
        assert isinstance(answer.exception, Faults), answer.output
        assert answer.exception.exit_code == code
        return str(answer.exception)
    assert answer.exit_code == 0, answer.output + str(answer.exception)
    return json.loads(answer.stdout) if "--json" in words else answer.stdout


def begun(outcome="missing", **how):
    plan(outcome, **how)
    run("plan", "plan.toml")
    run("start", "plan.toml", "--out", "help_now.csv")


def members(store):
    with store.view(ADMIN) as view:
        rows = trials.allocations(view, "spring-2024")
        view.record("trial.seen")
    return rows


def write(gone=(), **more):
    Path("h").mkdir(exist_ok=True)
    for table, rows in tables(gone=gone, **more).items():
        with (Path("h") / f"{table}.csv").open("w", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]), restval="")
            writer.writeheader()
            writer.writerows(rows)


def in_arm(store, arm):
    return members(store).filter(arm=arm)["pupil_id"].to_list()


def number(pupil):
    return int(pupil[1:])


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
    begun()
    write(gone=range(0, 100, 4))
    text = run("analyse", "plan.toml", "h")
    assert "No difference was shown" in text
    assert "not a proof of none" in text


def test_the_file_names_those_who_are_helped_and_only_its_owner_reads_it(store):
    begun()
    with Path("help_now.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {r["pupil_id"] for r in rows} == set(in_arm(store, "help_now"))
    assert Path("help_now.csv").stat().st_mode & 0o077 == 0
    assert all(int(r["rank"]) <= 80 for r in rows)


def test_a_safety_exception_is_helped_and_stays_in_its_arm(store):
    """By intention to treat: children who are excepted, and whom that helps, still count in the arm of the lot."""
    begun()
    usual = in_arm(store, "usual")
    write(gone=[number(p) for p in usual[5:]])
    Path("asked.txt").write_text("\n".join([*usual[:5], "p9999"]))
    counted = run("status", "plan.toml", "--asked-by-social-worker", "asked.txt", "--json")
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
        for n, day in enumerate(("2024-01-16", "2024-01-17", "2024-02-20", "2024-03-01")):
            absent = day == "2024-03-01" or (pupil in usual and n < 2)  # what comes after six weeks does not count
            code = "O" if absent else "/"
            marks.append({"pupil_id": pupil, "date": day, "session": "AM", "code": code})
    write(attendance=marks)
    found = run("analyse", "plan.toml", "h", "--json")
    assert (found["help_now"], found["usual"]) == (1.0, pytest.approx(1 / 3))
    assert found["flow"]["arms"]["usual"]["lost"] == {"no_mark_in_the_weeks": 1}


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
    begun()
    write()
    tamper(store, "UPDATE audit SET who = 'nobody' WHERE seq = 2")
    assert "the audit does not verify" in run("analyse", "plan.toml", "h", code=1)


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
