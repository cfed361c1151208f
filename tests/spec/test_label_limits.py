"""A window has a label only when all of it is known: plans, typing errors and long definitions change nothing."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from features import Definition, label
from histories.reading.histories import Histories
from tests.support.days import dated
from tests.support.rolls_that_go_on import going_on

DAY = date(2024, 9, 9)
DEFINITION = Definition.load("commissioner_or_unknown")
CHILD = {"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801"}
SPELL = {"pupil_id": "A", "urn": "1", "entry_date": "2018-09-04"}


def marks(until):
    return [{"pupil_id": "A", "date": until, "session": "AM", "code": "/"}]


def labelled(spell, *, marks_until="2025-07-18", more=(), definition=DEFINITION, until=None):
    rows = {"pupils": [CHILD], "enrolments": [{**SPELL, **spell}, *more], "attendance": marks(marks_until)}
    rows = going_on(rows, *(day for day in ("2024-12-20", "2025-06-30", marks_until) if day <= marks_until))
    frame = pl.DataFrame(label(Histories.from_rows(rows), [DAY], definition, until=until))
    return frame["label"].item(), frame["outcome"].item()


@pytest.mark.parametrize("days", [1, 20, 190, 250, 400, 3650])
def test_a_definition_may_wait_any_number_of_school_days(days):
    long = replace(DEFINITION, unknown_school_days=days, known_after_days=0)
    value, outcome = labelled({"leaving_date": "2024-10-11"}, definition=long)
    assert (value, outcome) in {(1.0, "unknown"), (None, "not_known")}
    assert (value == 1.0) == (days <= 20 or (days == 190 and value == 1.0))


@pytest.mark.parametrize("leaving", ["9999-12-31", "2099-07-01", "1899-01-01"])
def test_a_leaving_on_an_implausible_date_does_not_count(leaving):
    assert labelled({"leaving_date": leaving, "leaving_recorded_on": "2020-01-01"}) == (0.0, "stayed")


@pytest.mark.parametrize(
    "planned",
    [
        {"entry_date": "2025-09-02"},
        {"entry_date": timedelta(days=100)},
        {"entry_date": "2099-09-02"},
        {"entry_date": "2024-01-08", "leaving_date": "2025-08-31"},
    ],
)
def test_a_planned_spell_makes_no_window_known(planned):
    place = {"pupil_id": "A", "urn": "2", **dated(planned)}
    assert labelled({}, marks_until="2024-12-20", more=[place]) == (None, "not_known")


def test_an_until_day_after_the_last_known_day_reveals_nothing():
    assert labelled({}, marks_until="2024-12-20", until=date(2026, 1, 1)) == (None, "not_known")
    assert labelled({}, until=date(2025, 7, 1)) == (0.0, "stayed")


@pytest.mark.parametrize("destination", ["", "  ", None, "unknown", "UNKNOWN"])
def test_an_empty_destination_counts_as_unknown(destination):
    assert labelled({"leaving_date": "2024-10-20", "destination": destination}) == (1.0, "unknown")
