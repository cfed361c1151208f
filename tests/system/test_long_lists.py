"""Long lists of duties and of children on no roll: counted whole, and read a part at a time without losing or repeating a row."""

from dataclasses import replace
from datetime import date, timedelta
from operator import itemgetter

import pytest

from serving.casework.no_roll import KINDS
from serving.store import Caller
from serving.store.cases import cases, casework, due_list, no_roll
from serving.store.parts import Position, part_of_rows
from tests.support.stores import do, gathered

LEAD = Caller("lead", "lead", "801")
TODAY = date(2025, 1, 20)
PUPILS = [f"p{n:02}" for n in range(23)]


def look(store, work, caller=LEAD):
    with store.view(caller) as view:
        view.record("test.seen")
        return work(view)


def due(store):
    """Store 23 duties: ten overdue of which three are of children nobody looks for, six due soon, and seven later."""
    data = gathered(*PUPILS)
    days = [TODAY - timedelta(days=1 + n // 2) for n in range(10)] + [TODAY + timedelta(days=n + 2) for n in range(13)]
    kinds = ["case_not_opened"] * 3 + ["destination"] * 20
    deadlines = [replace(d, kind=k, due_on=day) for d, k, day in zip(data.deadlines, kinds, days, strict=True)]
    do(store, casework.keep, replace(data, deadlines=deadlines), "1")
    return deadlines


def walk(part, name_of):
    """Read all parts forwards, and back again; return the parts both ways."""
    forwards = [part(None)]
    while forwards[-1].later:
        forwards.append(part(Position(name_of(forwards[-1].rows[-1]))))
    backwards = [forwards[-1]]
    while backwards[-1].earlier:
        backwards.append(part(Position(name_of(backwards[-1].rows[0]), backwards=True)))
    return forwards, backwards


def test_duties_are_counted_whole_and_each_group_has_its_own_first_part(store):
    due(store)
    counts = look(store, lambda v: due_list.counts(v, TODAY))
    assert counts == {"lost": 3, "late": 7, "soon": 6, "later": 7}
    for group, n in counts.items():
        part = look(store, lambda v, g=group: due_list.part(v, g, TODAY, 3))
        assert (len(part.rows), part.earlier, part.later) == (3, False, n > 3)
    stranger = Caller("s", "worker", "999")
    assert set(look(store, lambda v: due_list.counts(v, TODAY), stranger).values()) == {0}
    assert look(store, lambda v: due_list.part(v, "late", TODAY, 3), stranger).rows == []


def test_a_child_whom_nobody_found_twice_is_one_child_with_two_duties(store):
    data = gathered("a")
    day = TODAY - timedelta(days=1)
    twice = [
        replace(d, kind="case_not_opened", started_on=day - timedelta(days=n), due_on=day)
        for d in data.deadlines
        for n in (9, 40)
    ]
    do(store, casework.keep, replace(data, deadlines=twice), "1")
    assert look(store, lambda v: due_list.counts(v, TODAY))["lost"] == 1
    assert len(look(store, lambda v: due_list.part(v, "lost", TODAY, 3)).rows) == 2


def test_duties_of_one_child_kind_and_day_are_read_one_after_another(store):
    data = gathered("a")
    starts = [TODAY - timedelta(days=n) for n in (70, 40, 9)]
    do(
        store,
        casework.keep,
        replace(data, deadlines=[replace(data.deadlines[0], started_on=day) for day in starts]),
        "1",
    )
    forwards, _ = walk(
        lambda position: look(store, lambda v: due_list.part(v, "soon", TODAY, 1, position)), lambda d: d["clock_id"]
    )
    assert sorted(row["started_on"] for part in forwards for row in part.rows) == starts


@pytest.mark.parametrize(("days", "group"), [(-1, "late"), (0, "soon"), (7, "soon"), (8, "later")])
def test_a_duty_is_late_from_the_day_after_and_soon_for_a_week(store, days, group):
    data = gathered("a")
    data.deadlines = [replace(d, due_on=TODAY + timedelta(days=days)) for d in data.deadlines]
    do(store, casework.keep, data, "1")
    assert look(store, lambda v: due_list.counts(v, TODAY)) == dict.fromkeys(due_list.GROUPS, 0) | {group: 1}
    assert len(look(store, lambda v: due_list.part(v, group, TODAY, 3)).rows) == 1


@pytest.mark.parametrize("group", due_list.GROUPS)
def test_duties_are_read_a_part_at_a_time_forwards_and_back(store, group):
    due(store)
    forwards, backwards = walk(
        lambda position: look(store, lambda v: due_list.part(v, group, TODAY, 3, position)), lambda d: d["clock_id"]
    )
    rows = [row for part in forwards for row in part.rows]
    assert len(rows) == look(store, lambda v: due_list.counts(v, TODAY))[group]
    assert rows == sorted(rows, key=lambda d: (d["due_on"], d["pupil_id"]))
    assert [part.rows for part in backwards] == [part.rows for part in forwards[::-1]]


def test_a_part_goes_on_after_a_duty_that_was_done_meanwhile_and_begins_anew_after_one_that_is_gone(store):
    due(store)
    first = look(store, lambda v: due_list.part(v, "later", TODAY, 3))
    last = first.rows[-1]
    with store.change(LEAD) as change:
        casework.stop(change, last["clock_id"], last["version"], "done")
    then = look(store, lambda v: due_list.part(v, "later", TODAY, 3, Position(last["clock_id"])))
    assert then.rows[0]["due_on"] == last["due_on"] + timedelta(days=1)
    gone = look(store, lambda v: due_list.part(v, "later", TODAY, 2, Position("0" * 32)))
    assert (gone.rows, gone.earlier) == (first.rows[:2], False)


def test_where_nothing_comes_after_a_part_any_more_the_last_part_is_shown(store):
    due(store)
    pages = [look(store, lambda v: due_list.part(v, "late", TODAY, 3))]
    while pages[-1].later:
        after = Position(pages[-1].rows[-1]["clock_id"])
        pages.append(look(store, lambda v, after=after: due_list.part(v, "late", TODAY, 3, after)))
    (only,) = pages[-1].rows
    with store.change(LEAD) as change:
        casework.stop(change, only["clock_id"], only["version"], "done")
    again = look(store, lambda v: due_list.part(v, "late", TODAY, 3, after))
    assert again.rows == pages[-2].rows
    assert (again.earlier, again.later) == (True, False)
    for row in [r for page in pages[:-1] for r in page.rows][:3]:
        with store.change(LEAD) as change:
            casework.stop(change, row["clock_id"], row["version"], "done")
    first = look(store, lambda v: due_list.part(v, "late", TODAY, 3, after))
    assert (len(first.rows), first.earlier, first.later) == (3, False, False)


@pytest.mark.parametrize("n", range(6))
def test_parts_of_rows_that_are_read_already_lose_and_repeat_none(n):
    rows = [{"name": name} for name in "abcde"[:n]]
    forwards, backwards = walk(lambda position: part_of_rows(rows, itemgetter("name"), 2, position), itemgetter("name"))
    assert [row for part in forwards for row in part.rows] == rows
    seen = {row["name"] for part in backwards for row in part.rows}
    assert seen == set("abcde"[:n])
    assert not backwards[-1].earlier
    assert part_of_rows(rows, itemgetter("name"), 2, Position("x")) == forwards[0], "a child who is gone"
    if rows:
        past = part_of_rows(rows, itemgetter("name"), 2, Position(rows[-1]["name"]))
        assert (past.rows, past.earlier, past.later) == (rows[-2:], n > 2, False)


def test_children_on_no_roll_are_read_a_part_at_a_time_and_a_case_opened_meanwhile_hides_nobody(store):
    data = gathered(*PUPILS, off_roll=PUPILS)
    days = [None if n % 7 == 3 else TODAY - timedelta(days=n // 3) for n in range(len(PUPILS))]
    off = [
        replace(c, since=day, kind=KINDS[n > 19]) for n, (c, day) in enumerate(zip(data.off_roll, days, strict=True))
    ]
    do(store, casework.keep, replace(data, off_roll=off), "1")
    assert look(store, no_roll.counts) == {"left": 20, "expected": 3}
    assert look(store, no_roll.newest_day) == data.as_of

    def read(position):
        return look(store, lambda v: no_roll.part(v, "left", 6, position))

    for ref in [read(None).rows[n]["pupil_ref"] for n in (1, 4)]:
        do(store, cases.open_case, ref)
    forwards, backwards = walk(read, no_roll.name_of)
    rows = [row for part in forwards for row in part.rows]
    assert len({row["pupil_id"] for row in rows}) == len(rows) == 20
    assert rows == sorted(rows, key=lambda r: (bool(r["case_id"]), r["since"] or date.max, r["pupil_id"]))
    assert [part.rows for part in backwards] == [part.rows for part in forwards[::-1]]
    last = forwards[0].rows[-1]
    do(store, cases.open_case, last["pupil_ref"])
    assert read(Position(no_roll.name_of(last))).rows == forwards[1].rows, "that child's row moved, the others did not"
