"""The last known day follows records and marks, never plans or typing errors."""

from datetime import date, timedelta

import pytest

from histories.reading.histories import Histories
from tests.support.days import dated

BASE = {
    "pupils": [{"pupil_id": "A1", "date_of_birth": "2012-05-01"}],
    "enrolments": [{"pupil_id": "A1", "urn": "100001", "entry_date": "2020-09-01"}],
}
MARK = {"pupil_id": "A1", "date": "2025-03-28", "session": "AM", "code": "/"}


@pytest.mark.parametrize(
    ("more", "newest"),
    [
        ({}, date(2025, 3, 28)),
        ({"enrolments": {"entry_date": "2025-09-02"}}, date(2025, 3, 28)),  # a place from September
        ({"enrolments": {"entry_date": timedelta(days=40)}}, date(2025, 3, 28)),
        ({"enrolments": {"entry_date": "2025-09-02", "recorded_on": "2025-04-10"}}, date(2025, 4, 10)),
        ({"suspensions": {"start_date": timedelta(days=40), "category": "SUSP"}}, date(2025, 3, 28)),
        ({"suspensions": {"start_date": "2099-01-01", "category": "SUSP"}}, date(2025, 3, 28)),
        ({"suspensions": {"start_date": "2025-04-02", "category": "SUSP"}}, date(2025, 4, 2)),
        # A return of looked-after children does not know who has left a roll since the last mark.
        ({"social_care": {"kind": "cla", "start_date": "2024-05-02", "recorded_on": "2025-06-30"}}, date(2025, 3, 28)),
    ],
)
def test_plans_and_typing_errors_do_not_move_the_last_known_day(more, newest):
    tables = {**BASE, "attendance": [MARK]}
    for table, row in more.items():
        tables[table] = [*tables.get(table, []), {"pupil_id": "A1", "urn": "100002", **dated(row)}]
    assert Histories.from_rows(tables).last_known() == newest


def test_without_marks_the_dates_of_spells_determine_the_last_known_day():
    rows = [{**BASE["enrolments"][0], "entry_date": "2025-01-06"}]
    assert Histories.from_rows({**BASE, "enrolments": rows}).last_known() == date(2025, 1, 6)
