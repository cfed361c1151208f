"""Records of a roll that go on until a day: of an adult, who is in no cohort. Without them nobody is known to have stayed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

BEGAN = date(1995, 9, 4)
Tables = dict[str, list[dict[str, Any]]]


def going_on(
    tables: Mapping[str, list[dict[str, Any]]],
    *days: date | str,
    urn: str = "100001",
    authority: str = "801",
    cases: Iterable[date | str] = (),
) -> Tables:
    """Return the tables with a record of the roll of a school on each of some days, and a case reported on each of others."""
    adult = f"adult of {authority}, {urn}"
    pupil = {"pupil_id": adult, "date_of_birth": "1990-05-01", "authority": authority}
    spells = [
        {"pupil_id": adult, "urn": urn, "entry_date": str(BEGAN + timedelta(days=n)), "recorded_on": str(day)}
        for n, day in enumerate(days)
    ]
    reported = [
        {"pupil_id": adult, "missing_from": str(BEGAN + timedelta(days=n)), "reported_on": str(day)}
        for n, day in enumerate(cases)
    ]
    more = {"pupils": [pupil], "enrolments": spells, **({"cme": reported} if reported else {})}
    return {t: [*tables.get(t, ()), *more.get(t, ())] for t in {**tables, **more}}
