"""A case whose child changes school inside the authority disappears from nobody without a word."""

from datetime import date

import pytest

from serving.store import Caller
from serving.store.cases import cases
from serving.store.cases.hand_over import across_schools
from tests.support.acting import ref
from tests.support.scores import score
from tests.support.stores import do

FIRST, THEN = date(2025, 1, 6), date(2030, 1, 7)  # before and after the case was opened, which is now
OLD, NEW = ("100",), ("200", "300")


def listed(store, day, **urns):
    store.save([score(p, n, day=day.isoformat()) | {"urn": urn} for n, (p, urn) in enumerate(urns.items(), 1)])


def told(store, role, urns, who="x"):
    with store.view(Caller(who, role, "801", urns)) as view:
        left, came = across_schools(view)
        view.record("test")
    return "".join(c["pupil_id"] for c in left), "".join(c["pupil_id"] for c in came)


@pytest.fixture
def moved(store):
    """Children with a case each: a changes from the old school to a new one, b stays, c changes between new ones, d comes from a third."""
    listed(store, FIRST, a="100", b="100", c="200", d="999")
    for pupil in "abcd":
        do(store, cases.assign, do(store, cases.open_case, ref(store, pupil)), 1, "anna" if pupil == "a" else None)
    assert told(store, "lead", OLD) == ("", "")
    listed(store, THEN, a="200", b="100", c="300", d="200")
    return store


@pytest.mark.parametrize(
    ("role", "urns", "who", "expected"),
    [
        ("worker", OLD, "anna", ("a", "")),
        ("worker", OLD, "ben", ("", "")),  # nobody else's case is told to a worker
        ("lead", OLD, "lead", ("a", "")),
        ("lead", NEW, "other", ("", "ad")),
        ("lead", (), "chief", ("", "")),  # sees the whole authority, and loses nothing
        ("analyst", OLD, "anna", ("", "")),
    ],
)
def test_the_owner_and_both_leads_are_told(moved, role, urns, who, expected):
    left, came = told(moved, role, urns, who)
    assert (left, "".join(sorted(came))) == expected


def test_a_closed_case_and_another_authority_s_are_not_told(moved):
    case = next(c for c in all_cases(moved) if c["pupil_id"] == "a")
    do(moved, cases.close, case["case_id"], case["version"], "done")
    assert told(moved, "lead", OLD) == ("", "")
    with moved.view(Caller("x", "lead", "802", NEW)) as view:
        assert across_schools(view) == ([], [])


def all_cases(store):
    with store.view(Caller("l", "lead", "801")) as view:
        return cases.cases(view)
