"""A past list is counted down to the capacity that it was made with, whatever the team can take up today."""

from datetime import date, timedelta

import pytest

from serving.store import Caller
from serving.store.cases import team_work
from serving.store.cases.involvement import material
from serving.store.scores import tops
from serving.store.scores.boards import list_outcome
from serving.store.scores.chosen import Chosen
from serving.store.scores.week_list import week
from serving.store.sign_in import staff
from tests.support.scores import score
from tests.support.stores import do

LEAD, ALL = Caller("l", "lead", "801"), Caller("a", "administrator", None)
FIRST, SECOND, THIRD = (date(2025, 1, 6) + timedelta(weeks=n) for n in range(3))
UNTIL = THIRD + timedelta(days=1)
LISTS = {FIRST: "1", SECOND: "1"}
# Children at the top of the first, the second and the newest list, and what shows them, by today's capacity.
COUNTS = {
    "outcomes of lists": lambda view, most, team: list_outcome(view, most, [], THIRD, team=team).listed,
    "week by week": lambda view, most, team: [w["listed"] for w in team_work.weeks(view, most, team=team)],
    "involvement": lambda view, most, team: len(material(view, FIRST, UNTIL, most, team).shown),
    "whom the team followed": lambda view, most, team: len(tops.at_top(view, LISTS, most, THIRD, team)),
}


def stored(store, *, order="abcdefghijkl", **how):
    """Store three lists; between them the team's capacity changes from 2 to 3, and since the last it is another."""
    for n, (day, per_week) in enumerate(((FIRST, 2), (SECOND, 3), (THIRD, 8))):
        if "team" in how:
            do(store, staff.set_capacity, "801", how["team"], per_week, n)
        rows = [score(p, rank, day=day.isoformat()) for rank, p in enumerate(order, start=1)]
        store.save(rows, per_week=per_week if how.get("kept", True) and "team" not in how else None)


def found(store, name, most, team="", caller=LEAD):
    with store.view(caller) as view:
        view.record("test")
        return COUNTS[name](view, most, team)


@pytest.mark.parametrize("most", [1, 8])
@pytest.mark.parametrize("how", [{}, {"team": ""}, {"team": "north"}])
def test_past_lists_have_the_capacity_of_their_time(store, how, most):
    stored(store, **how)
    team = how.get("team", "")
    assert found(store, "week by week", most, team) == [most, 3, 2]
    assert found(store, "outcomes of lists", most, team) == max(most, 3)
    assert found(store, "involvement", most, team) == max(most, 3)
    assert found(store, "whom the team followed", most, team) == 3
    # All teams of the authority together, as the command line counts.
    assert found(store, "week by week", most, None) == [most, 3, 2]


@pytest.mark.parametrize("name", COUNTS)
def test_without_a_capacity_of_its_time_a_list_has_that_of_today(store, name):
    stored(store, kept=False)
    expected = [4, 4, 4] if name == "week by week" else 4
    assert found(store, name, 4) == expected
    assert found(store, name, 4, caller=ALL) == expected


def test_who_lists_nobody_shows_nobody_of_past_lists_either(store):
    """After a withdrawal nobody is to be shown, whatever the lists had room for."""
    stored(store)
    assert found(store, "whom the team followed", 0) == 0


def test_whom_the_previous_list_had_no_room_for_is_new_now_that_there_is(store):
    stored(store)
    with store.view(LEAD) as view:
        moved = {c.pupil_id: c.moved for c in week(view, Chosen(), 5, THIRD, team="").children}
    assert moved == {"a": "same", "b": "same", "c": "same", "d": "new", "e": "new"}
