"""A made-up child: records that no authority holds, to show what a model takes in and how it explains a score."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from features.posted import open_rows
from histories.calendar import school_days
from training.frames import features

if TYPE_CHECKING:
    import pandas as pd

AS_OF = date(2025, 1, 13)
CHILD, SCHOOLS = "made-up", ("000001", "000002")
STORY = (
    "A child of 13 with SEN support who changed school in April, was suspended for two days in October, moved to a temporary home and got early help "
    "in November, and has missed every other day since the end of November and four of the five days since Christmas"
)
SUSPENDED = (date(2024, 10, 8), date(2024, 10, 9))
JOINED, FEWER = date(2024, 4, 22), date(2024, 11, 25)


def rows() -> dict[str, list[dict[str, Any]]]:
    """Return the child's records, by table."""
    of = {"pupil_id": CHILD}
    first, second = SCHOOLS
    return {
        "pupils": [{**of, "date_of_birth": "2011-03-02", "authority": "000"}],
        "enrolments": [
            {
                **of,
                "urn": first,
                "entry_date": "2022-09-05",
                "leaving_date": "2024-04-05",
                "destination": "state_school",
            },
            {**of, "urn": second, "entry_date": JOINED.isoformat()},
        ],
        "attendance": _marks(),
        "suspensions": [
            {**of, "urn": second, "start_date": str(SUSPENDED[0]), "category": "SUSP", "sessions": 2 * len(SUSPENDED)}
        ],
        "addresses": [
            {**of, "start_date": "2015-06-01", "end_date": "2024-11-11", "household_id": "1", "lsoa": "E01000001"},
            {**of, "start_date": "2024-11-11", "household_id": "2", "lsoa": "E01000002", "temporary": True},
        ],
        "sen": [{**of, "start_date": "2021-09-01", "provision": "K"}],
        "social_care": [{**of, "kind": "early_help", "start_date": "2024-11-18"}],
    }


def _marks() -> list[dict[str, Any]]:
    """Return two marks a school day: all present, then every other day, then the first day after Christmas only."""
    days = school_days(JOINED, AS_OF - timedelta(days=1))
    christmas = date(2024, 12, 25)
    returned = next(day for day in days if day > christmas)
    marks = []
    for place, day in enumerate(days):
        missed = (day > christmas and day != returned) or (FEWER <= day < christmas and place % 2 == 1)
        for session, present in (("AM", "/"), ("PM", "\\")):
            code = "O" if missed else present
            code = "E" if day in SUSPENDED else code
            marks.append({"pupil_id": CHILD, "date": day.isoformat(), "session": session, "code": code})
    return marks


def made_up_features() -> pd.DataFrame:
    """Return the child's features as of ``AS_OF``, as ``onroll.features`` returns those of a cohort.

    What a child alone cannot say, such as rates of the school's other children, is missing.

    Returns
    -------
    pandas.DataFrame, shape (1, features)
    """
    return features(open_rows(rows()), AS_OF)
