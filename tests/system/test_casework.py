"""Casework data: newer days replace older ones, and the histories stop and restart clocks."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from serving.store import Caller, Conflict, NotThere
from serving.store.cases import casework
from serving.store.cases.casework_tables import StoredMissing
from tests.support.scores import score
from tests.support.stores import do, gathered

LEAD = Caller("lead", "lead", "801")
LATER = date(2025, 1, 20)


def running(store, caller=LEAD):
    with store.view(caller) as view:
        return casework.deadlines(view)


def test_a_clock_runs_while_the_histories_start_it_or_until_a_person_stops_it(store):
    do(store, casework.keep, gathered("one-pupil", "two-pupil"), "1")
    assert [c["pupil_id"] for c in running(store)] == ["one-pupil", "two-pupil"]
    do(store, casework.keep, replace(gathered("two-pupil", as_of=LATER), over=gathered("one-pupil").deadlines), "1")
    assert [c["pupil_id"] for c in running(store)] == ["two-pupil"]
    do(store, casework.keep, gathered("one-pupil", "two-pupil", as_of=LATER), "1")
    assert len(running(store)) == 2, "what only the histories had stopped runs again"
    first = running(store)[0]
    with store.change(LEAD) as change:
        casework.stop(change, first["clock_id"], first["version"], "rang the school")
    do(store, casework.keep, gathered("one-pupil", "two-pupil", as_of=LATER), "1")
    assert [c["pupil_id"] for c in running(store)] == ["two-pupil"], "what a person stopped stays"


def test_a_form_from_before_the_histories_stopped_and_started_a_clock_is_refused(store):
    both = gathered("one-pupil", "two-pupil")
    do(store, casework.keep, both, "1")
    stale = running(store)
    do(store, casework.keep, both, "1")
    assert [c["version"] for c in running(store)] == [c["version"] for c in stale], "a clock that runs on is the same"
    do(store, casework.keep, replace(gathered("two-pupil", as_of=LATER), over=gathered("one-pupil").deadlines), "1")
    do(store, casework.keep, gathered("one-pupil", "two-pupil", as_of=LATER), "1")
    first, second = stale
    with pytest.raises(Conflict), store.change(LEAD) as change:
        casework.stop(change, first["clock_id"], first["version"], "by an old form")
    with store.change(LEAD) as change:
        casework.stop(change, second["clock_id"], second["version"], "it ran on")
    assert [c["pupil_id"] for c in running(store)] == ["one-pupil"]


def test_a_deadline_of_which_the_histories_say_nothing_more_stays_until_a_person_records_the_action(store):
    casework_data = gathered("one-pupil", "two-pupil")
    do(store, casework.keep, casework_data, "1")
    do(store, casework.keep, replace(gathered(as_of=LATER), places=casework_data.places), "1")
    assert len(running(store)) == 2, "silence of the histories ends nothing"
    over = replace(gathered(as_of=LATER), places=casework_data.places, over=casework_data.deadlines[:1])
    do(store, casework.keep, over, "1")
    (kept,) = running(store)
    assert kept["pupil_id"] == "two-pupil"
    with store.change(LEAD) as change:
        casework.stop(change, kept["clock_id"], kept["version"], "asked the school and the family")
    assert running(store) == []


def test_a_clock_is_stopped_once_by_any_caller_in_scope(store):
    do(store, casework.keep, gathered("one-pupil"), "1")
    (clock,) = running(store)
    for caller, wrong in ((Caller("s", "worker", "999"), NotThere), (Caller("a", "analyst", "801"), NotThere)):
        assert running(store, caller) == []
        with pytest.raises(wrong), store.change(caller) as change:
            casework.stop(change, clock["clock_id"], 1, "x")
    with store.change(LEAD) as change:
        casework.stop(change, clock["clock_id"], 1, "done")
    with pytest.raises(Conflict), store.change(LEAD) as change:
        casework.stop(change, clock["clock_id"], 1, "again")


def test_a_child_without_enquiries_comes_before_all_deadlines_and_is_counted(store):
    casework_data = gathered("one-pupil", "two-pupil")
    lost = replace(
        casework_data.deadlines[1], kind="case_not_opened", due_on=casework_data.deadlines[0].due_on + timedelta(days=9)
    )
    again = replace(lost, started_on=lost.started_on - timedelta(days=40))
    do(store, casework.keep, replace(casework_data, deadlines=[casework_data.deadlines[0], lost, again]), "1")
    with store.view(LEAD) as view:
        assert casework.deadlines(view)[0]["pupil_id"] == "two-pupil"
        assert casework.count_lost(view, lost.due_on) == 0, "not before it is due"
        assert casework.count_lost(view, lost.due_on + timedelta(days=1)) == 1, "a child once"
    with store.view(Caller("s", "worker", "999")) as view:
        casework.deadlines(view)
        assert casework.count_lost(view, LATER + timedelta(days=900)) == 0


def test_an_older_row_replaces_nothing(store):
    store.save([score("one-pupil", 1)])
    newer = replace(
        gathered("one-pupil", as_of=LATER), pupil_histories={"one-pupil": {"weeks": [["2025-01-13", 10, 1, 1]]}}
    )
    do(store, casework.keep, newer, "1")
    do(store, casework.keep, gathered("one-pupil"), "1")
    with store.view(LEAD) as view:
        as_of, kept = casework.pupil_history(view, "one-pupil")
        view.record("test.seen")
    assert (as_of, len(kept["weeks"])) == (LATER, 1)
    with store.view(Caller("s", "worker", "999")) as view:
        assert casework.pupil_history(view, "one-pupil") is None
        view.record("test.seen")


def test_a_failed_run_leaves_no_file(store):
    broken = replace(
        gathered("one-pupil"), missing=[{"pupil_id": "one-pupil", "on_day": None, "how": "x", "known_on": LATER}]
    )
    with pytest.raises(sa.exc.IntegrityError):
        do(store, casework.keep, broken, "1")
    assert running(store) == []


def test_another_authority_stops_no_clock_and_one_that_came_late_is_no_longer_gone(store):
    do(store, casework.keep, gathered("one-pupil"), "1")
    elsewhere = [{"pupil_id": "their-pupil", "authority": "999", "urn": "9", "nc_year": 6}]
    ours = gathered("one-pupil").deadlines
    theirs = replace(gathered("their-pupil", as_of=LATER), places=elsewhere, over=ours, authorities=frozenset({"999"}))
    do(store, casework.keep, theirs, "1")
    assert [c["pupil_id"] for c in running(store)] == ["one-pupil"]
    do(store, casework.keep, replace(gathered("one-pupil", as_of=LATER), missing=[]), "1")
    with store.engine.connect() as connection:
        assert set(connection.scalars(sa.select(StoredMissing.pupil_id))) == {"their-pupil"}
