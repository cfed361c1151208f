"""A child's year group is that of the roll, which may be another than that by age; where the roll states none, pages say that it is by age."""

from datetime import date

import pytest
import sqlalchemy as sa

from serving.pages.at_school import at_school
from serving.pages.wording import Wording
from serving.store import Caller, Store
from serving.store.cases import due_list, no_roll
from serving.store.scores import week_list
from serving.store.scores.chosen import Chosen
from serving.store.tables import Pupil
from tests.support.scored_mondays import FIRST, LEFT, NEXT, SPELL, score_on
from tests.support.scores import score

LEAD, WORDS = Caller("lead", "lead", "801"), Wording.load("en")


@pytest.fixture
def store(tmp_path):
    opened = Store(f"sqlite:///{tmp_path / 'onroll.db'}", b"a key for tests, of 32 letters!!!")
    yield opened
    opened.engine.dispose()


def told(store):
    """Return what the list and the child's page say of the year group."""
    with store.view(LEAD) as view:
        (child,) = [c for c in week_list.week(view, Chosen(), 8, date(2025, 3, 11)).children if c.pupil_id == "p"]
        place = week_list.place(view, child.pupil_ref)
    on_list = WORDS.year_group_of(child.score["nc_year"], child.roll_year)
    assert at_school(place, {}, WORDS).startswith(f"{on_list}, ")
    return on_list


@pytest.mark.parametrize(
    ("stated", "says"), [("3", "Year 7"), ("2", "Year 6 (Year 7 by age)"), (None, "Year 7 by age")]
)
def test_the_list_and_the_page_say_the_year_group_of_the_roll(store, stated, says):
    """On the roll since September 2020, when those born in May 2013 began Year 3."""
    store.save([{**score("p", 1), "as_of": str(FIRST), "nc_year": 7}])
    score_on(store, FIRST, spells=[{**SPELL, "nc_year": stated}])
    assert told(store) == says


def test_a_corrected_roll_changes_what_is_said_and_an_older_scoring_does_not(store):
    store.save([{**score("p", 1), "as_of": str(NEXT), "nc_year": 7}])
    score_on(store, NEXT, spells=[{**SPELL, "nc_year": "2"}])
    assert told(store) == "Year 6 (Year 7 by age)"
    score_on(store, FIRST, spells=[{**SPELL, "nc_year": "3"}])
    assert told(store) == "Year 6 (Year 7 by age)"
    score_on(store, NEXT, spells=[{**SPELL, "nc_year": "3"}])
    assert told(store) == "Year 7"


@pytest.mark.parametrize("stated", ["3", "2", None])
def test_the_list_of_a_year_group_holds_whom_the_list_names_by_it(store, stated):
    store.save([{**score("p", 1), "as_of": str(FIRST), "nc_year": 7}])
    score_on(store, FIRST, spells=[{**SPELL, "nc_year": stated}])
    with store.view(LEAD) as view:
        of_year = {y: week_list.week(view, Chosen(year_group=y), 8, date(2025, 3, 11)) for y in range(12)}
    named = told(store).split(" (")[0].removesuffix(" by age")
    assert [WORDS.year_group(y) for y, week in of_year.items() if week.children] == [named]
    assert [WORDS.year_group(y) for y, week in of_year.items() if week.matched] == [named]


@pytest.mark.parametrize(("stated", "says"), [("2", "Year 6 (Year 7 by age)"), (None, "Year 7 by age")])
def test_who_left_a_roll_is_named_by_the_year_group_of_it_where_duties_and_children_on_no_roll_are_listed(
    store, stated, says
):
    score_on(store, FIRST, spells=[{**LEFT, "nc_year": stated}])
    with store.view(LEAD) as view:
        groups = [due_list.part(view, group, FIRST, 20).rows for group in due_list.GROUPS]
        rows = [*(row for rows in groups for row in rows), *no_roll.part(view, "left", 20).rows]
        view.record("clocks.seen")
    assert len(rows) > 2
    assert {WORDS.year_group_of(row["nc_year"], row["roll_year"]) for row in rows} == {says}


def test_what_the_roll_of_another_authority_states_is_not_told_to_the_one_before(store):
    store.save([{**score("p", 1), "as_of": str(FIRST), "nc_year": 7}])
    score_on(store, FIRST, spells=[{**SPELL, "nc_year": "2"}])
    with store.change(LEAD) as change:
        change.connection.execute(sa.update(Pupil).values(authority="802"))
        change.record("clocks.seen")
    with store.view(LEAD) as view:
        years = {c.roll_year for c in week_list.week(view, Chosen(), 8, date(2025, 3, 11)).children}
    assert years == {None}
