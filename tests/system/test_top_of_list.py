"""The first children of a week: without those set aside before it, with those set aside since; and who is new there."""

from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from serving.store import Caller
from serving.store.cases import cases
from serving.store.cases.tables import CaseEntry
from serving.store.database import reading, writing
from serving.store.scores import tops
from serving.store.scores.boards import list_outcome
from serving.store.scores.chosen import Chosen
from serving.store.scores.week_list import first_of_week, week
from serving.store.tables import Pupil
from tests.support.scores import score
from tests.support.stores import do

LEAD = Caller("l", "lead", "801")
FIRST, SECOND, THIRD = (date(2025, 1, 6) + timedelta(weeks=n) for n in range(3))
FAR = date(2999, 1, 1)


def stored(store, *days, order="abcdefghijkl"):
    for day in days:
        store.save([score(p, n, day=day.isoformat()) for n, p in enumerate(order, start=1)])


def opened(store, pupil):
    with reading(store.engine) as connection:
        ref = connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == pupil))
    return do(store, cases.open_case, ref)


def dated(store, case_id, version, day):
    """Let an entry of a case be written at noon of a day."""
    entry = sa.and_(CaseEntry.case_id == case_id, CaseEntry.version == version)
    with writing(store.engine) as connection:
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        connection.execute(sa.update(CaseEntry).where(entry).values(at=at))


def dismissed(store, pupil, day):
    case_id = opened(store, pupil)
    do(store, cases.dismiss, case_id, 1, "moved")
    dated(store, case_id, 2, day)
    return case_id


def top(store, day, most=3, **more):
    with store.view(LEAD) as view:
        view.record("test")
        return "".join(r.pupil_id for r in tops.top_of(view, (day, "1"), most, **more))


def moves(store, most):
    with store.view(LEAD) as view:
        return {c.pupil_id: c.moved for c in week(view, Chosen(), most, SECOND).children}


def test_who_was_set_aside_before_the_week_is_not_among_its_first_and_who_is_since_still_is(store):
    stored(store, FIRST)
    dismissed(store, "a", FIRST - timedelta(days=3))
    dismissed(store, "c", FIRST + timedelta(days=1))
    assert top(store, FIRST) == "bcd"
    assert top(store, FIRST, until=SECOND) == "bde", "who made room for others during the week"


def test_a_snooze_ends_with_its_day_and_who_is_put_back_is_first_again(store):
    stored(store, FIRST)
    for pupil, until in (("a", FIRST), ("b", FIRST + timedelta(days=1))):
        case_id = opened(store, pupil)
        do(store, cases.snooze, case_id, 1, until)
        dated(store, case_id, 2, FIRST - timedelta(days=3))
    case_id = dismissed(store, "c", FIRST - timedelta(days=9))
    assert top(store, FIRST) == "ade"
    do(store, cases.wake, case_id, 2)
    assert top(store, FIRST) == "ade", "put back after the list was made"
    dated(store, case_id, 3, FIRST - timedelta(days=2))
    assert top(store, FIRST) == "acd"
    again = opened(store, "d")
    do(store, cases.snooze, again, 1, FAR)
    do(store, cases.snooze, again, 2, FIRST)
    for version in (2, 3):
        dated(store, again, version, FIRST - timedelta(days=5 - version))
    assert top(store, FIRST) == "acd", "the later snooze holds"


def test_who_is_shown_every_week_in_the_place_of_others_is_not_new(store):
    stored(store, FIRST, SECOND)
    dismissed(store, "a", FIRST - timedelta(days=3))
    dismissed(store, "b", FIRST + timedelta(days=2))
    assert moves(store, 8) == dict.fromkeys("cdefghij", "same")


def test_who_takes_a_place_that_became_free_this_week_is_new(store):
    stored(store, FIRST, SECOND)
    dismissed(store, "a", SECOND + timedelta(days=1))
    assert moves(store, 8) == {**dict.fromkeys("bcdefgh", "same"), "i": "new"}


def test_who_had_another_reason_at_the_top_of_the_last_list_is_not_new_under_a_filter(store):
    def of(day, pupil, place, theme):
        return {**score(pupil, place, day=day.isoformat()), "reasons": [{"theme": theme}]}

    store.save([of(FIRST, p, n, "Attendance") for n, p in enumerate("abcdef", start=1)])
    store.save([of(SECOND, p, n, "Moves" if p in "abf" else "Attendance") for n, p in enumerate("abcdef", start=1)])
    with store.view(LEAD) as view:
        listed = week(view, Chosen(theme="Moves"), 2, SECOND)
    assert {c.pupil_id: c.moved for c in listed.children} == {"a": "same", "b": "same"}


def test_whoever_comes_back_in_the_week_is_of_its_first_and_whoever_gave_way_is_not(store):
    stored(store, FIRST)
    case_id = opened(store, "a")
    do(store, cases.snooze, case_id, 1, FIRST + timedelta(days=2))
    dated(store, case_id, 2, FIRST - timedelta(days=3))
    dismissed(store, "c", FIRST + timedelta(days=1))
    with store.view(LEAD) as view:
        view.record("test")
        first = {day: first_of_week(view, (FIRST, "1"), 3, FIRST + timedelta(days=day)) for day in (1, 3)}
    assert first == {1: set("bcde"), 3: set("abcd")}


def test_a_child_further_down_in_a_view_of_its_own_is_not_new_to_the_top(store):
    stored(store, FIRST)
    stored(store, SECOND, order="abcdefghijlk")
    for pupil in "bkl":
        do(store, cases.assign, opened(store, pupil), 1, LEAD.key_id)
    with store.view(LEAD) as view:
        mine = week(view, Chosen(show="mine"), 2, SECOND).children
    assert {c.pupil_id: c.moved for c in mine} == {"b": "same", "l": "risen", "k": "fallen"}


def test_several_lists_are_read_at_once(store):
    stored(store, FIRST, SECOND)
    stored(store, THIRD, order="lkj")
    dismissed(store, "a", FIRST + timedelta(days=1))
    with store.view(LEAD) as view:
        view.record("test")
        lists = tops.lists_since(view, FIRST)
        assert list(lists) == [FIRST, SECOND, THIRD]
        assert tops.at_top(view, lists, 2, FAR) == set("bclk")
        assert tops.at_top(view, lists, 2, SECOND) == set("bc")
        assert tops.at_top(view, lists, 2, FIRST) == set()


def test_what_was_done_before_a_child_was_listed_is_not_the_lists(store):
    stored(store, SECOND)
    before, since = SECOND - timedelta(days=1), SECOND
    for pupil, day in (("a", before), ("b", since)):
        case_id = opened(store, pupil)
        do(store, cases.contact, case_id, 1, day, "spoke_well")
        do(store, cases.act, case_id, 2, day, "home_visit")
    dismissed(store, "c", before)
    dismissed(store, "d", since)
    with store.view(LEAD) as view:
        outcome = list_outcome(view, 4, ["spoke_well"], SECOND)
    assert (outcome.listed, outcome.contacted, outcome.acted, outcome.well) == (4, 1, 1, 1)
    assert outcome.dismissed == 1, "c was set aside before, and e took the place"
    assert outcome.by_school.keys() == {"10000", "10001"}
