"""Services and children at one address are stored anew with each scoring, and read within the caller's scope."""

from dataclasses import replace
from datetime import date

import sqlalchemy as sa

from serving.store import Caller
from serving.store.cases import casework, family
from serving.store.cases.casework_tables import StoredAtHome, StoredInvolvement
from serving.store.database import reading
from serving.store.records import erasure
from serving.store.tables import AuditEntry
from tests.support.stores import do, gathered

WORKER = Caller("w", "worker", "801")


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
