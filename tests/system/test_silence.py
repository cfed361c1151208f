"""Registers that stopped: read in the caller's scope, and followed for children whom the team knows, whatever the score says."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import sqlalchemy as sa

from serving.casework.silence import SilentChild, SilentSchool
from serving.store import Caller
from serving.store.cases import cases, casework, silence
from serving.store.cases.casework_tables import StoredSilence
from serving.store.database import reading
from serving.store.scores import week_list
from serving.store.scores.chosen import Chosen
from serving.store.scores.stored_scores import newest_list
from serving.store.scores.week_list import week
from serving.store.tables import AuditEntry
from tests.support.acting import ref
from tests.support.scores import score
from tests.support.stores import do, gathered

LEAD, NORTH = Caller("l", "lead", "801"), Caller("n", "worker", "801", ("10001",))
DAYS = [date(2025, 1, 6), date(2025, 1, 13), date(2025, 1, 20)]
SINCE = date(2025, 1, 2)


def kept(store, day, children=(), schools=(), authority="801"):
    """Keep what a scoring gathered of silent registers."""
    found = replace(
        gathered(as_of=day),
        silent_children=[SilentChild(pupil_id=p, since=SINCE, days=n) for p, n in dict(children).items()],
        silent_schools=[SilentSchool(authority=authority, urn=urn, since=SINCE, days=5) for urn in schools],
        authorities=frozenset({authority}),
    )
    do(store, casework.keep, found, "1")


def listed(store, day, order, authority="801"):
    store.save([score(p, n, authority, day=day.isoformat()) for n, p in enumerate(order, start=1)])


def followed(store, caller=LEAD, most=2, besides=()):
    with store.view(caller) as view:
        rows, _ = silence.followed(view, newest_list(view), most, besides)
        view.record("test")
    return [(r["pupil_id"], r["silent"].days, r["silent"].school) for r in rows]


def quiet(store, caller=LEAD):
    with store.view(caller) as view:
        view.record("test")
        return list(silence.schools(view))


def test_a_child_who_fell_off_the_list_when_the_register_stopped_is_followed_for_weeks(store):
    for day, order in zip(DAYS, ("abcdef", "cdefab", "cdefab"), strict=True):
        listed(store, day, order)
        kept(store, day, {} if day == DAYS[0] else {"a": 4, "e": 4, "c": 9})
    assert followed(store, besides=("c",)) == [("a", 4, False)], "e was never at the top, c is shown"
    assert followed(store) == [("c", 9, False), ("a", 4, False)]
    assert followed(store, NORTH) == [("c", 9, False), ("a", 4, False), ("e", 4, False)], (
        "of that school e was the second"
    )
    assert followed(store, Caller("x", "worker", "999")) == followed(store, Caller("x", "analyst", "801")) == []
    with reading(store.engine) as connection:
        seen = connection.scalars(sa.select(AuditEntry.pupils).where(AuditEntry.action == "silence.seen")).all()
    assert any(store.chain.reference("a") in pupils for pupils in seen)


def test_a_child_with_a_case_is_followed_until_dismissed_or_closed(store):
    listed(store, DAYS[0], "abcdef")
    ids = {p: do(store, cases.open_case, ref(store, p)) for p in "def"}
    kept(store, DAYS[0], dict.fromkeys("bdef", 3))
    assert followed(store) == [("d", 3, False), ("e", 3, False), ("f", 3, False)], "b's list is the newest itself"
    do(store, cases.dismiss, ids["d"], 1, "moved")
    do(store, cases.close, ids["e"], 1, "done")
    do(store, cases.snooze, ids["f"], 1, DAYS[2])
    assert followed(store) == [("f", 3, False)], "a snooze ends with a day, not with a register"
    listed(store, DAYS[1], "abcdef")
    kept(store, DAYS[1])
    assert followed(store) == [], "the register came again"


def test_every_child_without_a_register_is_in_a_view_of_its_own_page_by_page(store, monkeypatch):
    monkeypatch.setattr(week_list, "PAGE", 2)
    listed(store, DAYS[0], "abcdefgh")
    listed(store, DAYS[0], "xy", "802")
    kept(store, DAYS[0], dict.fromkeys("bdfgh", 4), schools=["10001"])  # of a, c, e and g
    kept(store, DAYS[0], {"x": 4}, authority="802")
    pages = []
    with store.view(LEAD) as view:
        for n in (1, 2, 3, 4, 5):
            shown = week(view, Chosen(show="silent", page=n), 1, DAYS[0])
            pages.append("".join(c.pupil_id for c in shown.children))
            assert (shown.matched, shown.every) == (8, frozenset("abcdefgh"))
        assert silence.count(view, newest_list(view)) == 8
        every = week(view, Chosen(show="silent", page=None), 1, DAYS[0]).children
    assert pages == ["ab", "cd", "ef", "gh", "gh"], "a page that has emptied is the last one that has not"
    assert "".join(c.pupil_id for c in every) == "abcdefgh", "as a file"
    with store.view(NORTH) as view:
        assert silence.count(view, newest_list(view)) == 4
        assert week(view, Chosen(show="silent"), 1, DAYS[0]).every == frozenset("aceg")
    kept(store, DAYS[0])
    with store.view(LEAD) as view:
        assert (silence.count(view, newest_list(view)), week(view, Chosen(show="silent"), 1, DAYS[0]).every) == (
            0,
            frozenset(),
        )


def test_those_whose_register_stopped_are_counted_before_they_are_cut(store, monkeypatch):
    monkeypatch.setattr(silence, "MAX", 1)
    listed(store, DAYS[0], "abcdef")
    for pupil in "de":
        do(store, cases.open_case, ref(store, pupil))
    kept(store, DAYS[0], {"d": 3, "e": 5})
    with store.view(LEAD) as view:
        rows, n = silence.followed(view, newest_list(view), 2)
    assert ([r["pupil_id"] for r in rows], n) == (["e"], 2)


def test_a_silent_school_is_named_to_who_sees_it_also_if_none_of_its_children_is_listed(store):
    listed(store, DAYS[0], "abcdef")
    listed(store, DAYS[0], "xy", "802")
    kept(store, DAYS[0], schools=["10001", "10000"])
    kept(store, DAYS[0], schools=["777"], authority="802")
    assert sorted(quiet(store)) == ["10000", "10001"]
    assert quiet(store, NORTH) == ["10001"]
    assert quiet(store, Caller("x", "worker", "802")) == ["777"]
    assert sorted(quiet(store, Caller("x", "administrator", None))) == ["10000", "10001", "777"]
    do(store, cases.open_case, ref(store, "e"))
    assert followed(store) == [("e", 5, True)], "its school is silent, and so is the child's register"
    listed(store, DAYS[1], "abcdef")
    kept(store, DAYS[1], schools=["10001"])
    assert quiet(store) == ["10001"]


def test_a_row_says_that_its_register_stopped_and_not_that_it_fell(store):
    listed(store, DAYS[0], "abc")
    listed(store, DAYS[1], "bac")
    kept(store, DAYS[1], {"a": 4})
    with store.view(LEAD) as view:
        rows = {c.pupil_id: c for c in week(view, Chosen(), 3, DAYS[1]).children}
    assert (rows["a"].silent, rows["a"].moved) == (silence.Silence(since=SINCE, days=4), None)
    assert (rows["b"].silent, rows["b"].moved, rows["c"].moved) == (None, "risen", "same")


def seen_of_silence(store):
    """Return what every reader of silent registers and of what was gathered beside them says, by its name."""
    with store.view(LEAD) as view:
        newest = newest_list(view)
        rows, _ = silence.followed(view, newest, 2)
        shown = week(view, Chosen(), 6, DAYS[1]).children
        return {
            "followed": [r["pupil_id"] for r in rows],
            "schools": list(silence.schools(view)),
            "count": silence.count(view, newest),
            "child": silence.of_pupils(view, ["a"]).get("a"),
            "view": week(view, Chosen(show="silent"), 6, DAYS[1]).every,
            "rows": {c.pupil_id for c in shown if c.silent},
            "lines": {c.pupil_id: c.gathered_on for c in shown if c.history},
        }


def test_what_was_gathered_last_is_said_whichever_list_is_shown(store):
    """After a rollback an older list is shown, and what was gathered of registers is as true as it was."""
    listed(store, DAYS[0], "abcdef")
    kept(store, DAYS[0])
    do(store, cases.open_case, ref(store, "f"))
    store.save([score(p, n, day=DAYS[1].isoformat(), version="2") for n, p in enumerate("fedcba", start=1)])
    later = replace(
        gathered("a", "f", as_of=DAYS[1]),
        silent_schools=[SilentSchool(authority="801", urn="10001", since=SINCE, days=5)],
    )
    do(store, casework.keep, later, "2")
    before = seen_of_silence(store)
    assert all(before.values())
    assert before["lines"] == {"a": DAYS[1], "f": DAYS[1]}
    taken_back = {"2"}
    store.taken_back = partial(frozenset, taken_back)
    after = seen_of_silence(store)
    assert "f" in after["followed"]
    assert {k: v for k, v in after.items() if k != "followed"} == {k: v for k, v in before.items() if k != "followed"}
    taken_back.add("1")
    assert "f" in seen_of_silence(store)["followed"], "no list is left, the case is"


def test_older_data_and_other_authorities_replace_no_silence(store):
    listed(store, DAYS[1], "ab")
    listed(store, DAYS[1], "x", "802")
    kept(store, DAYS[1], {"a": 4})
    kept(store, DAYS[0], {"b": 4})
    kept(store, DAYS[1], {"x": 4, "stranger": 9}, authority="802")
    with reading(store.engine) as connection:
        rows = connection.execute(sa.select(StoredSilence.pupil_id, StoredSilence.as_of)).all()
    assert sorted(map(tuple, rows)) == [("a", DAYS[1]), ("x", DAYS[1])]
    assert DAYS[1] - DAYS[0] == timedelta(weeks=1)
