"""The lead sees the open cases that were left longest, and week by week what was done for listed children, of their scope only."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from histories.calendar import LONDON, london_day, london_today
from serving.store import Caller
from serving.store.cases import cases, team_work
from serving.store.cases.tables import Case, CaseEntry
from serving.store.database import reading, writing
from serving.store.tables import AuditEntry, Pupil
from tests.support.scores import score
from tests.support.stores import do

LEAD = Caller("l", "lead", "801")


def opened(store, *pupils):
    with reading(store.engine) as connection:
        rows = connection.execute(sa.select(Pupil.pupil_id, Pupil.pupil_ref))
        refs = {row.pupil_id: row.pupil_ref for row in rows}
    return {pupil: do(store, cases.open_case, refs[pupil]) for pupil in pupils}


def age(store, case_id, days):
    """Let everything about a case have happened some days earlier."""
    at = datetime.now(LONDON) - timedelta(
        days=days
    )  # the same hour of an earlier day in England, whatever clocks changed since
    with writing(store.engine) as connection:
        connection.execute(sa.update(CaseEntry).where(CaseEntry.case_id == case_id).values(at=at))
        done = sa.update(CaseEntry).where(CaseEntry.case_id == case_id, CaseEntry.on_day.is_not(None))
        connection.execute(done.values(on_day=at.date()))
        connection.execute(sa.update(Case).where(Case.case_id == case_id).values(opened_at=at))


def untouched(store, caller=LEAD, **more):
    today = london_today()
    with store.view(caller) as view:
        found = team_work.oldest_untouched(view, today, **more)
    return [(c["pupil_id"], (today - london_day(c["since"])).days) for c in found]


def test_cases_left_longest_come_first_and_those_set_aside_or_closed_are_not_there(store):
    store.save([score(p, n) for n, p in enumerate("abcdef", start=1)] + [score("x", 1, authority="802")])
    ids, today = opened(store, *"abcdefx"), london_today()
    for n, case_id in enumerate(ids.values()):
        age(store, case_id, 10 + n)
    do(store, cases.contact, ids["f"], 1, today, "no_answer")  # touched today
    do(store, cases.assign, ids["e"], 1, "l")  # given away, and not worked on
    do(store, cases.dismiss, ids["d"], 1, "moved")
    do(store, cases.snooze, ids["c"], 1, today + timedelta(days=1))
    do(store, cases.close, ids["b"], 1, "done")
    assert untouched(store) == [("e", 14), ("a", 10), ("f", 0)]
    with store.view(LEAD) as view:
        worked = {c["pupil_id"]: c["worked"] for c in team_work.oldest_untouched(view, today)}
    assert worked == {"e": False, "a": False, "f": True}
    assert untouched(store, most=1) == [("e", 14)]
    assert untouched(store, Caller("l", "lead", "801", ("10001",))) == [("e", 14), ("a", 10)]
    assert untouched(store, Caller("l", "analyst", "801")) == []
    with reading(store.engine) as connection:
        query = sa.select(AuditEntry.pupils).where(AuditEntry.action == "team.untouched").order_by(AuditEntry.seq)
        assert store.chain.reference("e") in connection.scalars(query).first()


def test_each_week_counts_what_was_done_until_the_next_list(store):
    today = london_today()
    days = [today - timedelta(days=n) for n in (14, 7, 0)]
    for day in days:
        store.save([score(p, n, day=day.isoformat()) for n, p in enumerate("abc", start=1)])
    ids = opened(store, "a", "b", "c")
    for pupil, code, days_ago in (("a", "spoke_well", 13), ("b", "no_answer", 13), ("c", "spoke_well", 13)):
        do(store, cases.contact, ids[pupil], 1, today, code)
        age(store, ids[pupil], days_ago)
    do(store, cases.act, ids["b"], 2, today, "home_visit")
    with store.view(LEAD) as view:
        view.record("test")
        found = team_work.weeks(view, 2, ("no_answer",))
        assert team_work.weeks(view, 2)[2]["contacted"] == 2
    assert [w["as_of"] for w in found] == days[::-1]
    assert [(w["listed"], w["contacted"], w["acted"]) for w in found] == [(2, 0, 1), (2, 0, 0), (2, 1, 0)]
