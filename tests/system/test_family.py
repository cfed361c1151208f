"""Services and children at one address are stored anew with each scoring, and read within the caller's scope."""

from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from histories.codes import code_set
from serving.casework.family import Involvement
from serving.casework.leavers import Leaver
from serving.store import Caller
from serving.store.cases import casework, family
from serving.store.cases.casework_tables import StoredAtHome, StoredInvolvement
from serving.store.database import reading
from serving.store.records import erasure, retention
from serving.store.scores.stored_scores import newest_list
from serving.store.tables import AuditEntry, Pupil
from tests.support.scored_mondays import FIRST, LEAD, NEXT, score_on
from tests.support.scores import score
from tests.support.stores import acted, do, gathered

WORKER = Caller("w", "worker", "801")
LEFT_ON = date(2024, 3, 8)


def seen(store, caller=WORKER, pupil="a"):
    with store.view(caller) as view:
        view.record("test")
        services = [i["kind"] for i in family.involvements(view, pupil)]
        return services, [c["pupil_id"] for c in family.at_home_with(view, pupil)]


def test_the_newest_scoring_replaces_what_was_and_an_older_one_does_not(store):
    do(store, casework.keep, gathered("a", "b", "c"), "1")
    assert seen(store) == (["early_help"], ["b", "c"])
    later = gathered("a", "b", "c", as_of=date(2025, 1, 20))
    later.involvements, later.at_home = later.involvements[1:], later.at_home[:2]
    do(store, casework.keep, later, "1")
    assert seen(store) == ([], ["b"])
    do(store, casework.keep, gathered("a", "b", "c"), "1")
    assert seen(store) == ([], ["b"])


def test_children_outside_the_scope_are_not_there(store):
    material = gathered("a", "b", "c")
    material.places = [
        {
            **place,
            "authority": "802" if place["pupil_id"] == "b" else "801",
            "urn": "200" if place["pupil_id"] == "c" else "100",
        }
        for place in material.places
    ]
    material.authorities = frozenset({"801", "802"})
    do(store, casework.keep, material, "1")
    assert seen(store) == (["early_help"], ["c"])
    assert seen(store, Caller("w", "worker", "801", ("100",))) == (["early_help"], [])
    assert seen(store, Caller("w", "worker", "802")) == ([], [])
    assert seen(store, Caller("w", "analyst", "801")) == ([], [])


def test_a_child_on_a_roll_whom_the_list_leaves_out_for_an_open_case_is_named(store):
    """Nobody is on no list: a child is scored, on no roll, or named with the open case."""
    material = gathered("a", "b", "c", "d", as_of=date(2025, 1, 13), off_roll=["c"])
    material.involvements = [
        Involvement(pupil_id=p, kind="cme", since=date(2024, 3, n)) for n, p in enumerate("dabc", 1)
    ]
    do(store, casework.keep, material, "1")

    def named(caller=WORKER):
        with store.view(caller) as view:
            view.record("test")
            return [c["pupil_id"] for c in family.unlisted_with_case(view, newest_list(view))]

    assert named() == ["d", "a", "b"], "the oldest case first; c is on the page of children on no roll"
    store.save([score("a", 1)])
    assert named() == ["d", "b"], "a rule of the cohort may list them"
    assert named(Caller("w", "worker", "801", ("999",))) == named(Caller("w", "worker", "802")) == []
    assert acted(store, "missing_cases.seen")


def test_a_scoring_keeps_who_is_on_a_roll_with_an_open_case(store):
    case = {"pupil_id": "p", "missing_from": "2024-03-03", "reported_on": "2024-03-10"}
    for cases, named in (([case], ["p"]), ([case | {"resolved_on": "2025-03-01"}], [])):
        score_on(store, FIRST if named else NEXT, cme=cases)
        with store.view(LEAD) as view:
            view.record("test")
            assert [c["pupil_id"] for c in family.unlisted_with_case(view, None)] == named


def test_who_was_shown_as_a_sibling_is_in_the_audit(store):
    do(store, casework.keep, gathered("a", "b"), "1")
    seen(store)
    with reading(store.engine) as connection:
        entry = connection.execute(sa.select(AuditEntry).where(AuditEntry.action == "family.seen")).one()
    assert store.chain.reference("b") in entry.pupils
    assert store.chain.reference("a") not in entry.pupils


def test_another_authority_keeps_its_rows_and_erasure_takes_the_childs(store):
    do(store, casework.keep, gathered("a", "b"), "1")
    other = gathered("x", "y", as_of=date(2025, 1, 20))
    other.places = [{**place, "authority": "802"} for place in other.places]
    other.at_home = [replace(child, home="x" * 32) for child in other.at_home]
    other.authorities = frozenset({"802"})
    do(store, casework.keep, other, "1")
    assert seen(store) == (["early_help"], ["b"])
    do(store, erasure.erase, ["a"], "asked")
    with reading(store.engine) as connection:
        for table in (StoredInvolvement, StoredAtHome):
            assert sorted(connection.scalars(sa.select(table.pupil_id))) == ["b", "x", "y"]


def left(store, *leavers, as_of=date(2025, 1, 13), pupils=("a", "b", "c")):
    """Store a list whose records say who left, and return what the page of ``a`` is given of the others."""
    material = gathered(*pupils, as_of=as_of)
    material.leavers = [leaver(**{"pupil_id": "b", **kept}) for kept in leavers]
    do(store, casework.keep, material, "1")
    return at_home(store)


def leaver(pupil_id, authority="801", urn="100", nc_year=4, left_on=LEFT_ON, left_to="home_education"):
    return Leaver(pupil_id=pupil_id, authority=authority, urn=urn, nc_year=nc_year, left_on=left_on, left_to=left_to)


def at_home(store, caller=WORKER):
    with store.view(caller) as view:
        view.record("test")
        return {c["pupil_id"]: (c["left_on"], c["left_to"]) for c in family.at_home_with(view, "a")}


STAYS = (None, None)


@pytest.mark.parametrize("destination", code_set("destination"))
def test_a_sibling_who_left_every_roll_has_the_day_and_the_destination_until_back_on_one(store, destination):
    assert left(store, {"left_to": destination}) == {"b": (LEFT_ON, destination), "c": STAYS}
    monday = date(2025, 1, 20)
    store.save([score("b", 1, day=monday.isoformat())])
    assert at_home(store) == {"b": STAYS, "c": STAYS}, "who is scored is on a roll"


def test_who_is_back_on_a_roll_without_a_score_has_left_no_longer(store):
    left(store, {})
    assert left(store, as_of=date(2025, 1, 20)) == {"b": STAYS, "c": STAYS}


def test_an_older_list_stored_again_takes_no_newer_knowledge_back(store):
    left(store, {}, as_of=date(2025, 1, 20))
    assert left(store, as_of=date(2025, 1, 13)) == {"b": (LEFT_ON, "home_education"), "c": STAYS}
    store.save([score("b", 1, day="2025-01-13")])
    assert at_home(store)["b"] == (LEFT_ON, "home_education")


def test_a_list_stored_again_on_its_day_says_the_same(store):
    for _ in range(2):
        store.save([score("b", 1, day="2025-01-13")])
        assert left(store, {}) == {"b": (LEFT_ON, "home_education"), "c": STAYS}


def test_a_sibling_who_left_before_the_store_knew_it_gets_a_place_for_those_who_may_see_it(store):
    material = gathered("a", "b", "c")
    material.places = [place for place in material.places if place["pupil_id"] == "a"]
    away = [replace(child, pupil_id=pupil, home="x" * 32) for child in material.at_home[:1] for pupil in ("x", "y")]
    material.at_home += away
    material.leavers = [leaver("b"), leaver("c", authority="802"), leaver("stranger"), leaver("x"), leaver("y")]
    do(store, casework.keep, material, "1")
    assert at_home(store) == {"b": (LEFT_ON, "home_education")}
    assert at_home(store, Caller("w", "worker", "801", ("200",))) == {}
    with reading(store.engine) as connection:
        assert sorted(connection.scalars(sa.select(Pupil.pupil_id))) == ["a", "b"], (
            "who lives with no child of a page gets none"
        )
    material.off_roll = [replace(off, pupil_id="y") for off in gathered("y", off_roll=["y"]).off_roll]
    do(store, casework.keep, material, "1")
    with reading(store.engine) as connection:
        assert sorted(connection.scalars(sa.select(Pupil.pupil_id))) == ["a", "b", "x", "y"], (
            "y is looked for, and x lives with y"
        )


def test_another_authoritys_records_mark_nobody_here(store):
    assert left(store, {"authority": "802"})["b"] == (LEFT_ON, "home_education")
    other = gathered("x", as_of=date(2025, 1, 20))
    other.places = [{**place, "authority": "802"} for place in other.places]
    other.authorities, other.leavers = frozenset({"802"}), [leaver("c", authority="802")]
    do(store, casework.keep, other, "1")
    assert at_home(store) == {"b": (LEFT_ON, "home_education"), "c": STAYS}


def test_such_a_sibling_is_kept_while_somebody_at_home_is_and_erased_when_asked(store):
    def rows(pupil):
        with reading(store.engine) as connection:
            tables = (Pupil, StoredAtHome, StoredInvolvement)
            return sum(len(connection.execute(sa.select(t).where(t.pupil_id == pupil)).all()) for t in tables)

    def keep():
        store.save([score("a", 1)])
        material = gathered("a", "b")
        material.deadlines, material.leavers = material.deadlines[:1], [leaver("b")]
        do(store, casework.keep, material, "1")

    keep()
    do(store, retention.apply, retention.load(None))
    assert at_home(store) == {"b": (LEFT_ON, "home_education")}
    do(store, erasure.erase, ["b"], "asked")
    assert (rows("b"), at_home(store)) == (0, {})
    keep()
    do(store, erasure.erase, ["a"], "asked")
    assert (rows("a"), rows("b")) == (0, 0), "nobody is left who needs to know of b"
