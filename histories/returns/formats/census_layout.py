"""The tables of COLLECT's export of the School Census: their files, columns and codes, and the days of censuses."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

FILE = re.compile(r"(?P<year>20\d\d)_(?P<term>autumn|spring|summer)_(?P<table>[a-z0-9]+)")
MONTHS = {"autumn": (10, 1, 3), "spring": (1, 3, 3), "summer": (5, 3, 3)}  # month, which, weekday: a Thursday
COVERED = {"autumn": 2, "spring": 0, "summer": 1}  # index of the term that a census's attendance covers
NEEDED = ("upn", "dob", "entrydate", "nativeid")
# Columns to read, by the beginning of the file name.
ROLL = (
    "upn",
    "formerupn",
    "nativeid",
    "dob",
    "sex",
    "ethnicity",
    "language",
    "youngcarer",
    "entrydate",
    "leavingdate",
    "enrolstatus",
    "ncyearactual",
    "ncyearleaving",
    "senprovision",
    "surname",
    "forename",
)
KINDS: dict[str, tuple[str, ...]] = {
    "pupilonroll": ROLL,
    "pupilnolongeronroll": ROLL,
    "termlysessiondetails": ("attendancereason", "sessions"),
    "summerhalfterm2sessiondetails": ("attendancereason", "sessions"),
    "termlyexclusions": ("startdate", "category", "sessions", "reason1", "nativeid"),
    "fsmperiod": ("fsmstartdate", "fsmenddate"),
    "addresses": ("uniquepropertyreferencenumber", "postcode"),
    "senneeds": ("sentyperank", "sentype"),
}
PUT = {
    "pupilonroll": "roll",
    "pupilnolongeronroll": "roll",
    "termlysessiondetails": "sessions",
    "summerhalfterm2sessiondetails": "sessions",
}
# The statements of a census, and the kind of file with each.
STATED = {
    "pupils": "roll",
    "enrolments": "roll",
    "sen_states": "roll",
    "suspensions": "termlyexclusions",
    "fsm": "fsmperiod",
    "termly_attendance": "sessions",
    "address_states": "addresses",
}
DAYS = ("dob", "entrydate", "leavingdate", "startdate", "fsmstartdate", "fsmenddate")
NOT_EMPTY = ("dob", "entrydate")
ENDS = {"leavingdate": "entrydate", "fsmenddate": "fsmstartdate"}
PROVISIONS = ("N", "K", "E", "S", "A", "P")  # the last three until 2015
CATEGORIES = ("PERM", "SUSP", "FIXD", "LNCH")  # FIXD until 2023
CODES = {
    "sex": "sex",
    "enrolstatus": "enrolment_status",
    "ncyearactual": "nc_year",
    "ncyearleaving": "nc_year",
    "reason1": "suspension_reason",
    "sentype": "sen_need",
}


@dataclass(kw_only=True)
class CensusFiles:
    """The files of one submission of one census."""

    number: int
    term: str
    day: date
    files: list[Path] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    part: str = ""


def census_day(year: int, term: str) -> date:
    """Return the day of a census: the first Thursday of October, the third of January and of May.

    Examples
    --------
    >>> census_day(2024, "autumn").isoformat(), census_day(2025, "spring").isoformat()
    ('2024-10-03', '2025-01-16')
    """
    month, which, weekday = MONTHS[term]
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (which - 1))
