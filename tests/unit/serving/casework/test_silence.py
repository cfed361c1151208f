"""Registers that stop while the school is open are detected, for single children and whole schools."""

from datetime import date, timedelta

import pytest

from histories.calendar import school_days
from histories.reading.histories import Histories
from serving.casework.rolls import last_spells
from serving.casework.school_days import SchoolDays
from serving.casework.silence import silent_registers

DAY = date(2025, 3, 10)
OPEN = school_days(date(2025, 1, 6), DAY - timedelta(days=1))


def silent(**last):
    """Return the silent registers of children who were marked up to the given number of school days ago; one school each letter."""
    names = list(last)
    tables = {
        "pupils": [{"pupil_id": p, "date_of_birth": "2013-05-01", "authority": "801"} for p in names],
        "enrolments": [{"pupil_id": p, "urn": p[0], "entry_date": "2020-09-02"} for p in names],
        "attendance": [
            {"pupil_id": p, "date": str(d), "session": s, "code": "/"}
            for p, n in last.items()
            for d in OPEN[: len(OPEN) - n]
            for s in ("AM", "PM")
        ],
    }
    histories = Histories.from_rows(tables)
    rolls = last_spells(histories, DAY)
    days = SchoolDays.of(histories, rolls, DAY, frozenset())
    return silent_registers(histories, names, rolls, DAY, days)


@pytest.mark.parametrize(("days", "quiet"), [(0, False), (2, False), (3, True), (12, True)])
def test_a_child_no_longer_marked_while_others_are(days, quiet):
    expected = {"a1": {"since": str(OPEN[-1 - days]), "days": days, "school": False}} if quiet else {}
    assert silent(a1=days, a2=0, b1=0) == expected


def test_a_silent_school_is_not_a_silent_child():
    assert silent(a1=5, a2=5, b1=0, c1=0) == {
        p: {"since": str(OPEN[-6]), "days": 5, "school": True} for p in ("a1", "a2")
    }


def test_a_holiday_is_no_silence():
    assert silent(a1=5, b1=5, c1=5) == {}
