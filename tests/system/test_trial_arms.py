"""``onroll trial`` with other arms: two orders of the list, and schools that begin help one after another."""

import csv
import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from serving.store.cases import casework
from serving.store.trials import trials
from serving.trials import trial
from serving.trials.plan import ORDERS
from serving.trials.wedge.lot import name_of, steps_of
from tests.support.monitored import DAY, END, name, scores
from tests.support.stores import ADMIN, do, gathered, tamper
from tests.support.trial_runs import RISKS, START, filled_store, in_arm, members, number, run, write

ORDER = """
name = "spring-2024"
question = "Does the order by risk keep more children in school?"
authority = "801"
as_of = 2024-01-15
first = 100
arms = "order"
orders = ["risk", "random"]
reached = 40
unit = "child"
outcome = "missing"
ratio = 0.1
power = 0.5
analyse_on = 2024-09-01
seed = 11
"""
WEDGE = """
name = "spring-2024"
question = "Does help that begins school by school raise attendance?"
authority = "801"
as_of = 2024-01-15
first = 100
arms = "wedge"
steps = 4
step_weeks = 2
unit = "school"
outcome = "attendance"
control = 0.6
treated = 0.9
analyse_on = 2024-09-01
seed = 11
"""
UNEVEN = [0.9] * 40 + [0.05] * 60  # of whom the order by risk reaches those that matter


@pytest.fixture
def store(monkeypatch):
    return filled_store(monkeypatch)


def rows_of(file):
    with Path(file).open() as written:
        return list(csv.DictReader(written))


def begin(text, *changes):
    for old, new in changes:
        text = text.replace(old, new)
    Path("plan.toml").write_text(text)
    run("plan", "plan.toml")
    run("start", "plan.toml", "--out", "team.csv")
    return rows_of("team.csv")


def in_schools(store):
    """Give the list twenty schools with five children each."""
    store.save([s | {"urn": f"{100 + n % 20}"} for n, s in enumerate(scores(RISKS))])


def test_an_order_is_written_without_its_arms_and_each_arm_is_in_its_order(store):
    store.save(scores(UNEVEN))
    rows = begin(ORDER)
    assert list(rows[0]) == ["pupil_id", "place", "why"]
    assert [int(r["place"]) for r in rows] == list(range(1, 101))
    assert {r["why"] for r in rows} == {"in_order"}
    place = {r["pupil_id"]: int(r["place"]) for r in rows}
    by_risk = sorted(in_arm(store, ORDERS["risk"]), key=place.get)
    assert by_risk == sorted(by_risk)  # lower numbers have the higher risk
    at_random = sorted(in_arm(store, ORDERS["random"]), key=place.get)
    assert at_random != sorted(at_random)
    reached = [sum(place[p] <= 40 for p in in_arm(store, arm)) for arm in ORDERS.values() if in_arm(store, arm)]
    assert len(reached) == 2
    assert abs(reached[0] / len(by_risk) - reached[1] / len(at_random)) < 0.05


def test_only_a_duty_that_is_due_within_days_goes_before_an_order(store):
    from dataclasses import replace

    store.save(scores(UNEVEN))
    kept = gathered(name(70), name(80), as_of=DAY)
    due = [START + timedelta(days=7), START + timedelta(days=8)]
    duties = [replace(d, due_on=on) for d, on in zip(kept.deadlines, due, strict=True)]
    do(store, casework.keep, replace(kept, deadlines=duties, at_home=[]), "1")
    rows = begin(ORDER)
    assert (rows[0]["pupil_id"], rows[0]["why"]) == (name(70), "deadline")
    assert [r["why"] for r in rows].count("deadline") == 1


def test_an_order_is_analysed_by_intention_to_treat(store):
    store.save(scores(UNEVEN))
    begin(ORDER)
    at_random = in_arm(store, "at_random")
    write(gone=[number(p) for p in at_random if number(p) % 3])
    found = run("analyse", "plan.toml", "h", "--exact", "--json")
    assert found["by_risk"] == 0 < found["at_random"]
    assert found["difference"] == -found["at_random"]
    assert "By risk against at random made a difference of -0." in found["conclusion"]
    assert "at random:" in run("analyse", "plan.toml", "h", "--exact")


def test_a_wedge_says_when_help_begins_and_a_child_with_a_deadline_begins_now(store):
    in_schools(store)
    do(store, casework.keep, gathered(name(3), as_of=DAY), "1")
    rows = begin(WEDGE)
    arms = dict(members(store).select("pupil_id", "arm").iter_rows())
    for r in rows:
        step = 0 if r["pupil_id"] == name(3) else int(arms[r["pupil_id"]].removeprefix("step_"))
        assert r["begins_on"] == str(START + timedelta(weeks=2 * step))
    assert {r["why"] for r in rows} == {"deadline", *map(name_of, (1, 2, 3, 4))}
    shown = run("status", "plan.toml", "--json")["arms"]
    assert [part["units"] for part in shown.values()] == [5, 5, 5, 5]
    assert shown["step_2"]["begins_on"] == "2024-02-15"
    assert re.search(r"step 2: \d+ children in 5 units; exceptions", run("status", "plan.toml"))


def test_the_steps_follow_from_seed_salt_and_units_and_a_changed_one_is_found(store):
    in_schools(store)
    begin(WEDGE)
    with store.view(ADMIN) as view:
        known = trials.registered(view, "spring-2024")
        view.record("trial.plan_seen")
    begins = steps_of(20, 4, 11, known.salt)
    assert known.units == 20
    rows = members(store)
    assert [name_of(begins[int(unit, 16)]) for unit in rows["unit"]] == rows["arm"].to_list()
    write(attendance=marks(store, help_adds=0))
    tamper(store, "UPDATE trial_allocations SET arm = 'step_1' WHERE arm = 'step_4'")
    for words in (("analyse", "plan.toml", "h"), ("status", "plan.toml")):
        assert "the lot gave 25 children another arm" in run(*words, code=1)


def marks(store, *, help_adds):
    """Return marks by period: attendance falls for all by the weeks, and rises where help has begun."""
    rows = []
    school_days = [n for n in range(14) if (START + timedelta(days=n)).weekday() < 5]
    for pupil, arm in members(store).select("pupil_id", "arm").iter_rows():
        for period in range(5):
            on = period >= int(arm.removeprefix("step_"))
            present = 16 - 2 * period + number(pupil) % 3 + (help_adds if on else 0)
            for n in range(20):
                day = START + timedelta(weeks=2 * period, days=school_days[n // 2])
                code = "/" if n < present else "O"
                rows.append({"pupil_id": pupil, "date": str(day), "session": ("AM", "PM")[n % 2], "code": code})
        # Records go on until the analysis; a few rows far from all others would count as a slip.
        rows.append({"pupil_id": pupil, "date": str(END), "session": "AM", "code": "/"})
    return rows


def test_a_wedge_finds_help_although_attendance_falls_with_the_weeks(store):
    in_schools(store)
    begin(WEDGE)
    write(attendance=marks(store, help_adds=2))
    found = run("analyse", "plan.toml", "h", "--exact", "--json")
    assert found["difference"] == pytest.approx(0.1, abs=0.002)
    assert found["interval"][0] > 0.09
    assert found["p"] < 0.01
    assert found["periods"][0]["with_help"] is None
    assert found["periods"][4]["without"] is None
    for arm in found["flow"]["arms"].values():
        assert arm["allocated"] == arm["erased"] + sum(arm["lost"].values()) + arm["analysed"] == 25
    text = run("analyse", "plan.toml", "h", "--exact")
    assert "Help made a difference of +0.1" in text
    assert "period 3: with help 0." in text


def test_children_of_a_unit_that_was_left_out_are_not_counted_as_analysed(store):
    in_schools(store)
    begin(WEDGE)
    rows = marks(store, help_adds=2)
    silent = {name(n) for n in range(0, 100, 20)}  # a whole school without marks in the third period
    first, end = START + timedelta(weeks=4), START + timedelta(weeks=6)
    write(attendance=[r for r in rows if r["pupil_id"] not in silent or not str(first) <= r["date"] < str(end)])
    found = run("analyse", "plan.toml", "h", "--exact", "--json")
    arms = found["flow"]["arms"].values()
    assert found["units_left_out"] == 1
    assert sum(arm["analysed"] for arm in arms) == 95
    assert sum(arm["lost"].get("in_a_unit_without_an_outcome_in_some_period", 0) for arm in arms) == 5
    for arm in arms:
        assert arm["allocated"] == arm["erased"] + sum(arm["lost"].values()) + arm["analysed"]


def test_a_wedge_that_is_stopped_counts_its_whole_periods(store):
    """Stopped in the fourth of five periods: the schools of the last two steps had no help in what counts."""
    in_schools(store)
    begin(WEDGE)
    write(attendance=marks(store, help_adds=2))
    trial.stop_trial(store, ADMIN, "spring-2024", "No staff", today=START + timedelta(weeks=7))
    found = run("analyse", "plan.toml", "h", "--exact", "--json")
    assert len(found["periods"]) == 3
    assert found["difference"] == pytest.approx(0.1, abs=0.002)
    assert found["stopped"]["reason"] == "No staff"
    assert "Only the periods that were whole by then count" in run("analyse", "plan.toml", "h", "--exact")


def test_a_wedge_without_an_effect_is_not_called_one_by_the_weeks(store):
    in_schools(store)
    begin(WEDGE)
    write(attendance=marks(store, help_adds=0))
    assert "No difference was shown" in run("analyse", "plan.toml", "h", "--exact")


def test_a_wedge_of_areas_takes_whole_areas_and_a_school_without_one_is_refused(store):
    in_schools(store)
    areas = "\n".join(f'a{n} = ["{100 + 2 * n}", "{101 + 2 * n}"]' for n in range(10))
    with_areas = (('unit = "school"', 'unit = "area"'), ("seed = 11", f"seed = 11\n[areas]\n{areas}"))
    begin(WEDGE, *with_areas)
    by_school = members(store).with_columns(urn=members(store)["pupil_id"].map_elements(lambda p: number(p) % 20 // 2))
    assert by_school.group_by("urn").n_unique()["unit"].to_list() == [1] * 10
    text = (
        WEDGE.replace('unit = "school"', 'unit = "area"')
        .replace("spring-2024", "again")
        .replace("seed = 11", f"seed = 11\n[areas]\n{areas}")
    )
    Path("plan.toml").write_text(text.replace(', "119"', ""))
    assert "1 school of the list in no area" in run("plan", "plan.toml", code=1)


def test_plans_that_were_never_started_are_named_at_the_start_and_in_the_analysis(store):
    """Nobody can plan every week and start only the trial whose lot suits, unseen."""
    store.save(scores(UNEVEN))
    Path("plan.toml").write_text(ORDER.replace("spring-2024", "winter-2024").replace("first = 100", "first = 99"))
    run("plan", "plan.toml")
    newer = date(2024, 1, 16)
    store.save([s | {"as_of": str(newer)} for s in scores(UNEVEN)])
    text = ORDER.replace("2024-01-15", "2024-01-16")
    Path("plan.toml").write_text(text)
    planned = run("plan", "plan.toml", "--json")
    assert planned["never_started"] == ["winter-2024"]
    run("start", "plan.toml", "--out", "team.csv")
    write()
    assert "never started: winter-2024" in run("status", "plan.toml")
    found = run("analyse", "plan.toml", "h", "--exact", "--json")
    assert found["never_started"] == ["winter-2024"]
    assert "1 plan of this authority registered before and never started: winter-2024" in run(
        "analyse", "plan.toml", "h"
    )
