"""A duty that a person said is done does not come back with a corrected first day; one of a later leaving or absence does begin."""

from datetime import UTC, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from serving.store.cases import casework
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.database import writing
from tests.support.scored_mondays import FIRST, LEAD, LEFT, NEXT, SPELL, back, register, running, score_on

LATER = NEXT + timedelta(weeks=1)


def do_all(store, day):
    """Say of every duty that it is done, on a day."""
    for duty in running(store).values():
        with store.change(LEAD) as change:
            casework.stop(change, duty["clock_id"], duty["version"], "rang")
    with writing(store.engine) as connection:
        noon = datetime.combine(day, time(12), UTC)
        connection.execute(
            sa.update(StoredDeadline).where(StoredDeadline.stopped_how == "person").values(stopped_at=noon)
        )


NEW = SPELL | {"urn": "200", "entry_date": "2025-03-11"}


@pytest.mark.parametrize(
    ("spells", "begins"),
    [
        ([LEFT], False),
        ([LEFT | {"leaving_date": "2025-02-14"}], False),
        ([LEFT | {"leaving_date": "2025-02-26", "leaving_recorded_on": "2025-03-12"}], False),
        ([LEFT | {"leaving_date": "2025-03-12", "leaving_recorded_on": "2025-03-13"}], True),  # after all was done
        ([LEFT, NEW | {"leaving_date": "2025-03-14"}], True),
        ([LEFT, NEW | {"entry_date": "2025-02-24", "leaving_date": "2025-03-05"}], True),
    ],
)
def test_a_leaving_that_was_dealt_with_begins_no_duty_again_with_another_day(store, spells, begins):
    score_on(store, FIRST, spells=[LEFT])
    do_all(store, FIRST)
    score_on(store, NEXT, spells=spells)
    assert ({"deletion_return", "destination", "case_not_opened"} <= {kind for kind, _ in running(store)}) == begins
    assert bool(running(store)) == begins


AWAY = {"O": (back(FIRST, 12), LATER)}


@pytest.mark.parametrize(
    ("marks", "begins"),
    [
        (AWAY, False),
        (AWAY | {"/": (back(FIRST, 12), back(FIRST, 11))}, False),  # it began later
        (AWAY | {"Y1": (back(FIRST, 12), back(FIRST, 10))}, False),
        ({"O": (back(FIRST, 15), LATER)}, False),  # it began earlier
        ({"O": (back(FIRST, 12), back(FIRST, 4))}, False),  # the child came back
        (AWAY | {"/": (back(FIRST, 3), FIRST + timedelta(days=2))}, True),  # came back, and stayed away again
        (AWAY | {"/": (back(FIRST, 4), back(FIRST, 4))}, True),  # had been back, and nobody had known it
    ],
)
def test_an_absence_that_was_dealt_with_begins_no_duty_again_with_another_first_day(store, marks, begins):
    score_on(store, FIRST, attendance=register(FIRST, **AWAY))
    assert {kind for kind, _ in running(store)} == {"unauthorised_10", "unauthorised_20"}
    do_all(store, FIRST)
    score_on(store, LATER, attendance=register(LATER, **marks))
    assert ("unauthorised_10" in {kind for kind, _ in running(store)}) == begins
