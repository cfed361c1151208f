"""``onroll trial checks`` on a store with a stored list: who is drawn, what is written, and everything that must not work."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from serving.casework.family import AtHome
from serving.cli.main import onroll
from serving.store.cases import casework
from serving.store.database import reading
from serving.store.records import erasure
from serving.store.trials import checks as stored
from serving.store.trials.checks import PLANNED
from serving.store.trials.tables import RandomCheck
from serving.trials.checks.drawing import EXCLUDED, drawn_numbers
from tests.support.check_runs import draw, drawing_on, drawn, in_band, plan, rows_of, run, spoke
from tests.support.monitored import DAY, name
from tests.support.stores import ADMIN, do, gathered, tamper, verified
from tests.support.trial_runs import START, begun, filled_store, number, write


@pytest.fixture
def store(monkeypatch):
    opened = filled_store(monkeypatch)
    drawing_on(monkeypatch, START)
    return opened


def test_the_lot_draws_below_the_cut_and_the_file_says_nothing_of_risk(store):
    rows = draw()
    assert list(rows[0]) == ["pupil_id", "urn", "home", "why", "note"]
    assert {r["why"] for r in rows} == {"random_check"}
    assert all("nothing is suspected" in r["note"] for r in rows)
    assert Path("checks.csv").stat().st_mode & 0o077 == 0
    numbers = [number(r["pupil_id"]) for r in rows]
    assert sum(20 <= n < 60 for n in numbers) == 10
    assert sum(n >= 60 for n in numbers) == 16
    with reading(store.engine) as connection:
        chances = connection.execute(sa.select(RandomCheck.band, RandomCheck.chance).distinct()).all()
    assert sorted(chances) == [(0, 0.25), (1, 0.4)]
    assert verified(store).whole


def test_who_is_drawn_follows_from_seed_salt_and_size(store):
    draw()
    rows, known = drawn(store)
    for band, (size, checks) in enumerate(((40, 10), (40, 16))):
        numbers = drawn_numbers(3, known.salt, band=band, size=size, checks=checks)
        assert set(rows.filter(pl.col("band") == band)["number"]) == numbers


def test_nobody_is_drawn_twice_and_the_list_can_be_written_again(store):
    first = draw()
    assert "was drawn already" in run("draw", "checks.toml", "--out", "again.csv", code=1)
    assert not Path("again.csv").exists()
    run("list", "checks.toml", "--out", "again.csv")
    assert rows_of("again.csv") == first


def test_a_second_plan_on_the_list_is_refused_whatever_its_name(store):
    """Each registration draws a new salt: whoever could register again could look at several lots and take one."""
    draw()
    plan(("checks-2024", "checks-again"))
    assert "has a plan of checks already" in run("draw", "checks.toml", "--out", "again.csv", code=1)


def test_a_stopped_draw_gives_the_next_one_the_same_children(store):
    """The salt is in the audit before anybody is drawn, so that stopping the command gives no second lot."""
    plan()
    answer = CliRunner().invoke(onroll, ["trial", "checks", "draw", "checks.toml", "--out", "checks.toml/x.csv"])
    assert isinstance(answer.exception, OSError)
    rows, known = drawn(store)
    assert rows.is_empty()
    draw()
    rows, again = drawn(store)
    assert (again.salt, len(rows)) == (known.salt, 26)


def test_nobody_takes_another_place_between_the_registration_and_the_draw(store):
    plan()
    CliRunner().invoke(onroll, ["trial", "checks", "draw", "checks.toml", "--out", "checks.toml/x.csv"])
    spoke(store, name(50), START, "spoke_well")
    assert "has changed since the plan was registered" in run("draw", "checks.toml", "--out", "x.csv", code=1)


def test_children_who_are_looked_at_anyway_are_not_drawn_and_are_counted(store):
    """A deadline that runs, an open case, a trial, or a brother or sister above the cut."""
    at_home = [AtHome(pupil_id=p, home="h" * 32) for p in (name(5), name(60))]
    at_home += [AtHome(pupil_id=p, home="i" * 32) for p in (name(61), name(62))]
    kept = gathered(name(50), as_of=DAY)
    do(store, casework.keep, replace(kept, at_home=at_home), "1")
    spoke(store, name(51), START, "spoke_well")
    begun(first=40, outcome="contact")
    rows = draw(("checks = [10, 16]", "checks = [18, 39]"))
    left = {number(r["pupil_id"]) for r in rows}
    assert left == set(range(40, 100)) - {50, 51, 60}
    assert drawn(store)[1].excluded == {"deadline": 1, "open_case": 1, "in_trial": 20, "sibling_above_the_cut": 1}
    assert set(drawn(store)[1].excluded) == set(EXCLUDED)
    homes = {r["pupil_id"]: r["home"] for r in rows}
    assert homes[name(61)] == homes[name(62)] != homes[name(63)]


def test_more_checks_than_children_are_refused(store):
    plan(("checks = [10, 16]", "checks = [41, 16]"))
    assert "band 1 has 40 children to draw from, and 41" in run("draw", "checks.toml", "--out", "x.csv", code=1)


def test_a_dry_run_says_what_the_checks_can_tell_and_registers_nothing(store):
    plan()
    text = run("draw", "checks.toml", "--dry-run")
    assert "band 1: 10 of 40 children, each with a chance of 25.0%" in text
    assert "nobody was drawn" in text
    assert drawn(store)[1] is None


def test_a_child_whom_the_lot_did_not_draw_is_found(store):
    """Whoever can write to the database can put a child in place of another, but not unseen."""
    draw()
    write()
    rows, _ = drawn(store)
    free = min(set(range(40)) - set(rows.filter(pl.col("band") == 0)["number"]))
    tamper(store, f"UPDATE random_checks SET number = {free} WHERE pupil_id = '{in_band(rows, 0)[0]}'")
    for words in (("list", "checks.toml", "--out", "x.csv"), ("estimate", "checks.toml", "h")):
        assert "the store has 1 child whom the lot did not draw" in run(*words, code=1)


def test_a_child_who_takes_the_number_of_another_is_found(store):
    """The number is one that the lot drew; the audit's entry of the draw names another child."""
    draw()
    write()
    rows, _ = drawn(store)
    other = min({name(n) for n in range(20, 60)} - set(rows["pupil_id"]))
    tamper(store, f"UPDATE random_checks SET pupil_id = '{other}' WHERE pupil_id = '{in_band(rows, 0)[0]}'")
    for words in (("list", "checks.toml", "--out", "x.csv"), ("estimate", "checks.toml", "h")):
        assert "the store has 1 child whom the lot did not draw" in run(*words, code=1)


def test_a_changed_plan_or_audit_is_refused(store):
    draw()
    write()
    plan(("seed = 3", "seed = 4"))
    for words in (("list", "checks.toml", "--out", "x.csv"), ("estimate", "checks.toml", "h")):
        assert "changed since it was registered" in run(*words, code=1)
    plan()
    tamper(store, "UPDATE audit SET who = 'nobody' WHERE seq = 2")
    for words in (("list", "checks.toml", "--out", "x.csv"), ("estimate", "checks.toml", "h")):
        assert "the audit does not verify" in run(*words, code=1)


@pytest.mark.parametrize(
    ("today", "changes", "message"),
    [
        (date(2024, 1, 30), (), "the list is 15 days old, and the plan allows 14"),
        (START, (("2024-09-01", "2024-02-28"),), "are complete on 2024-02-29, and are estimated from 2024-02-28"),
        (START, (("seed = 3", 'seed = 3\nneeded = ["spoke_help", "asked"]'),), "1 code here that no worker can choose"),
    ],
)
def test_what_could_not_be_estimated_is_not_drawn(store, monkeypatch, today, changes, message):
    drawing_on(monkeypatch, today)
    plan(*changes)
    assert message in run("draw", "checks.toml", "--out", "x.csv", code=1)
    assert drawn(store)[1] is None


def test_missed_need_is_what_workers_found_weighted_by_the_chance_of_being_drawn(store):
    """Two in five of the first band needed help and one in four of the second: 16 + 10 of 80."""
    draw()
    rows, _ = drawn(store)
    for band, needs in ((0, 4), (1, 4)):
        for n, pupil in enumerate(in_band(rows, band)):
            spoke(store, pupil, date(2024, 2, 1), "spoke_help" if n < needs else "spoke_well")
    write(gone=[number(in_band(rows, 0)[0])])
    found = run("estimate", "checks.toml", "h", "--exact", "--json")
    need = found["needed_help"]
    assert (need["drawn"], need["known"], need["yes"], need["children"]) == (26, 26, 8, 80)
    assert need["estimate"]["value"] == pytest.approx(40 * 4 / 10 + 40 * 4 / 16)
    assert need["estimate"]["low"] < 26 < need["estimate"]["high"]
    assert need["without_assumption"]["low"] == need["estimate"]["low"]
    went = found["went_missing"]
    assert (went["known"], went["yes"]) == (26, 1)
    assert went["estimate"]["value"] == pytest.approx(4)
    assert found["not_drawn"] == {"went_missing": 0, "known": 54, "estimate": 0}
    assert "p0" not in run("estimate", "checks.toml", "h", "--exact")
    assert "It was estimated 2 times before." in run("estimate", "checks.toml", "h", "--exact")
    assert verified(store).whole


def test_those_drawn_are_compared_with_those_who_could_be_drawn_and_by_band(store):
    """Whoever has a deadline, a case or a trial is looked at for a cause; bands are drawn from with different chances."""
    kept = gathered(*map(name, range(60, 80)), as_of=DAY)
    do(store, casework.keep, replace(kept, at_home=[]), "1")
    for n in range(20, 25):
        spoke(store, name(n), START, "spoke_well")
    draw()
    rows, known = drawn(store)
    assert (known.sizes, known.excluded["deadline"], known.excluded["open_case"]) == ([35, 20], 20, 5)
    pupils = set(rows["pupil_id"])
    free = [n for n in (*range(25, 60), *range(80, 100)) if name(n) not in pupils]
    first, second = [n for n in free if n < 60], [n for n in free if n >= 60]
    write(
        gone=[*range(60, 80), *range(20, 25), *first[:10], second[0]]
    )  # all who could not be drawn, and eleven of the others
    others = run("estimate", "checks.toml", "h", "--exact", "--json")["not_drawn"]
    assert (others["went_missing"], others["known"]) == (11, len(free))
    assert others["estimate"] == pytest.approx(35 * 10 / len(first) + 20 * 1 / len(second))
    shown = run("estimate", "checks.toml", "h", "--json")["not_drawn"]
    assert shown["estimate"] == pytest.approx(others["estimate"], rel=0.05)
    text = run("estimate", "checks.toml", "h", "--exact")
    assert f"who could be drawn and were not: about {others['estimate']:.0f}; 11 of {len(free)}" in text


def test_a_plan_from_before_the_audit_named_who_could_be_drawn_compares_nobody(store, monkeypatch):
    spoke(store, name(50), START, "spoke_well")
    draw()
    write()
    named = stored._named
    monkeypatch.setattr(
        stored, "_named", lambda view, action, name: set() if action == PLANNED else named(view, action, name)
    )
    with store.view(ADMIN) as view:
        assert stored.could_be_drawn(view, "checks-2024", [name(51)]) is None
        view.record("trial.checks_seen")


def test_only_what_was_recorded_in_the_weeks_counts_and_who_was_not_reached_is_not_known(store):
    draw()
    pupils = in_band(drawn(store)[0], 1)
    spoke(store, pupils[0], date(2024, 1, 17), "spoke_help")  # before the lot
    spoke(store, pupils[1], date(2024, 2, 29), "spoke_help")  # after six weeks
    spoke(store, pupils[2], date(2024, 2, 28), "no_answer")
    spoke(store, pupils[3], date(2024, 2, 28), "spoke_help")
    write()
    need = run("estimate", "checks.toml", "h", "--exact", "--json")["needed_help"]
    assert (need["known"], need["yes"], need["estimate"]) == (1, 1, None)


def test_closing_a_case_is_an_answer_and_an_action_can_say_that_help_was_needed(store):
    from serving.store.cases import cases

    draw()
    one, two, three = in_band(drawn(store)[0], 1)[:3]
    for pupil, step in ((one, "act"), (two, "close"), (three, "dismiss")):
        case = spoke(store, pupil, date(2024, 2, 1), "no_answer")
        if step == "act":
            do(store, cases.act, case, 2, date(2024, 2, 2), "school_place")
        else:
            code = {"close": "in_education", "dismiss": "known_plan"}[step]
            do(store, getattr(cases, step), case, 2, code)
    tamper(store, "UPDATE case_entries SET at = '2024-02-03 10:00:00.000000' WHERE kind IN ('closed', 'dismissed')")
    write()
    need = run("estimate", "checks.toml", "h", "--exact", "--json")["needed_help"]
    assert (need["known"], need["yes"]) == (3, 1)


def test_small_numbers_are_hidden_unless_asked_for(store):
    draw()
    rows, _ = drawn(store)
    for n, pupil in enumerate(rows["pupil_id"]):
        spoke(store, pupil, date(2024, 2, 1), "spoke_help" if n == 0 else "spoke_well")
    write(gone=[number(rows["pupil_id"][1])])
    found, text = run("estimate", "checks.toml", "h", "--json"), run("estimate", "checks.toml", "h")
    for part in (found["needed_help"], found["went_missing"]):
        assert (part["yes"], part["estimate"], part["without_assumption"]) == (None, None, None)
    assert found["needed_help"]["at_most"] == found["went_missing"]["at_most"] > 0
    assert found["not_drawn"]["went_missing"] is None
    assert "[c] of 25 known" in text


def test_nothing_is_estimated_before_its_day(store):
    draw()
    write(end=date(2024, 8, 31))
    assert "are estimated from 2024-09-01, and the histories reach" in run("estimate", "checks.toml", "h", code=1)


def test_while_the_window_is_not_known_only_need_is_estimated(store):
    draw(("2024-09-01", "2024-04-01"))
    write(end=date(2024, 4, 2))
    found = run("estimate", "checks.toml", "h", "--json")
    assert (found["went_missing"], found["not_drawn"]) == (None, None)
    assert "not known yet; outcomes are known for lists up to" in found["not_known_yet"]


def test_erased_children_are_counted_and_leave_nothing(store):
    draw()
    write()
    gone = drawn(store)[0]["pupil_id"][0]
    do(store, erasure.erase, [gone], "asked")
    with reading(store.engine) as connection:
        rows = sa.select(sa.func.count()).select_from(RandomCheck).where(RandomCheck.pupil_id == gone)
        assert connection.scalar(rows) == 0
    found = run("estimate", "checks.toml", "h", "--exact", "--json")
    assert (found["erased"], found["needed_help"]["drawn"], found["went_missing"]["known"]) == (1, 26, 25)
    run("list", "checks.toml", "--out", "again.csv")
    assert len(rows_of("again.csv")) == 25
