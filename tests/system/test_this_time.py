"""Enquiries and confirmed destinations count for the leaving or the absence that is asked about, and not for an earlier one."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from serving.store import Caller
from serving.store.cases import cases, enquiries, not_in_school
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.database import writing
from tests.support.acting import do, look, ref
from tests.support.days import from_today
from tests.support.scores import score

ANN, FAR = Caller("token:ann", "worker", "801", ("10001",)), Caller("token:far", "lead", "802")
DAY = date(2025, 2, 3)


@pytest.fixture
def opened(store):
    """The store with pupil p1 and a case of theirs."""
    store.save([score("p1", 1)])
    return store, do(store, ANN, cases.open_case, ref(store, "p1"))


@pytest.mark.parametrize(
    ("records", "confirmed"),
    [
        ([("school", -300)], None),
        ([("school", -300), ("abroad", 5)], 5),
        ([("school", 5), ("abroad", -300)], 5),  # an old one that somebody wrote down late
        ([("school", 5), ("not_so", 6)], None),
        ([("school", 5), ("not_so", -1)], None),
        ([("school", 0)], 0),
    ],
)
def test_a_destination_confirms_only_the_leaving_since_which_it_was_recorded(opened, records, confirmed):
    store, case_id = opened
    version = 1
    for code, days in records:
        on = DAY + timedelta(days=days)
        version = do(store, ANN, not_in_school.record, case_id, version, kind="destination", on=on, code=code)
    told = look(store, ANN, not_in_school.with_destination, {"p1": DAY})
    assert told == ({} if confirmed is None else {"p1": DAY + timedelta(days=confirmed)})
    assert look(store, FAR, not_in_school.with_destination, {"p1": DAY}) == {}
    of_page = not_in_school.confirmed(look(store, ANN, not_in_school.records, "p1"), DAY)
    assert (of_page and of_page["on_day"]) == told.get("p1")


def test_enquiries_of_open_and_of_closed_cases_count_since_a_day(opened):
    store, case_id = opened
    made = {"source": "police", "result": "nothing", "asked_by": "school"}
    version = do(store, ANN, enquiries.enquire, case_id, 1, on=DAY - timedelta(days=30), **made)
    version = do(store, ANN, enquiries.enquire, case_id, version, on=DAY, **made)

    def counted():
        days = (date.max, DAY, DAY - timedelta(days=30))
        told = [look(store, ANN, enquiries.by_side, {"p1": d}) for d in days]
        return [sides.get("p1", {}).get("school", 0) for sides in told]

    assert counted() == [0, 1, 2], "an open case may be years old"
    do(store, ANN, cases.close, case_id, version, "nothing_more")
    assert counted() == [0, 1, 2]
    assert look(store, FAR, enquiries.since, {"p1": DAY}) == {}
    told = look(store, ANN, enquiries.since, {"p1": date.min})["p1"]
    assert [entry["version"] for entry in told] == [2, 3], "oldest first: the page shows the newest as what is known"


def test_a_closed_case_and_one_of_another_authority_say_nothing_of_this_time(opened):
    """Both were opened after the last duty was done, which the caller's own open case would set aside."""
    store, case_id = opened
    began = from_today(-400)
    row = {"pupil_id": "p1", "kind": "destination", "urn": "10001", "due_on": DAY, "as_of": DAY, "version": 1}
    done = {"clock_id": "0", "started_on": began, "stopped_at": datetime.now(UTC) - timedelta(days=200)}
    with writing(store.engine) as connection:
        who = {"changed_at": datetime.now(UTC), "changed_by": "x"}
        connection.execute(sa.insert(StoredDeadline).values(row | done | who))
    asked = {"p1": began - enquiries.BEFORE_LEAVING}
    assert look(store, FAR, enquiries.asked_since, ["p1"]) == {"p1": date.max}, "nor does their duty"
    assert look(store, ANN, enquiries.asked_since, ["p1"]) != asked
    do(store, ANN, cases.close, case_id, 1, "nothing_more")
    assert look(store, ANN, enquiries.asked_since, ["p1"]) == asked


def test_a_duty_that_was_done_after_the_case_was_opened_is_of_this_time(opened):
    store, _ = opened
    row = {"pupil_id": "p1", "kind": "destination", "urn": "10001", "due_on": DAY, "as_of": DAY, "version": 1}
    done = {"clock_id": "0", "started_on": from_today(-20), "stopped_at": datetime.now(UTC) + timedelta(seconds=1)}
    with writing(store.engine) as connection:
        who = {"changed_at": datetime.now(UTC), "changed_by": "x"}
        connection.execute(sa.insert(StoredDeadline).values(row | done | who))
    assert look(store, ANN, enquiries.asked_since, ["p1"]) == {"p1": from_today(-20) - enquiries.BEFORE_LEAVING}


BEFORE = enquiries.BEFORE_LEAVING.days


@pytest.mark.parametrize(
    ("duties", "is_open", "days_ago"),
    [
        ([], False, None),
        ([], True, 0 + BEFORE),  # the case is opened today
        ([("destination", 20, None)], True, 20 + BEFORE),
        ([("unauthorised_20", 20, None)], True, 20),
        ([("unauthorised_20", 200, None), ("destination", 20, None)], True, 200),
        ([("destination", 400, 200), ("destination", 20, None)], True, 20 + BEFORE),
        ([("destination", 400, 200), ("deletion_return", 100, 20)], False, 100 + BEFORE),
        ([("destination", 400, 200)], True, 0 + BEFORE),  # the case is about something else
        ([("unauthorised_10", 20, None)], False, None),  # asks nobody where the child is
    ],
)
def test_since_when_enquiries_are_of_this_time(store, duties, is_open, days_ago):
    store.save([score("p1", 1)])
    who = {
        "changed_at": datetime.now(UTC),
        "changed_by": "x",
        "version": 1,
        "as_of": DAY,
        "due_on": DAY,
        "urn": "10001",
    }
    with writing(store.engine) as connection:
        for n, (kind, start, stopped) in enumerate(duties):
            done = stopped and datetime.now(UTC) - timedelta(days=stopped)
            row = {
                "clock_id": str(n),
                "pupil_id": "p1",
                "kind": kind,
                "started_on": from_today(-start),
                "stopped_at": done,
            }
            connection.execute(sa.insert(StoredDeadline).values(who | row))
    if is_open:
        do(store, ANN, cases.open_case, ref(store, "p1"))
    since = date.max if days_ago is None else from_today(-days_ago)
    assert look(store, ANN, enquiries.asked_since, ["p1"]) == {"p1": since}
