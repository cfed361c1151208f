"""The text of a stored record as a page shows it: schools by name, dates and codes in words."""

from __future__ import annotations

import re
from collections.abc import Mapping

from histories.codes import attendance_codes
from serving.pages.wording import Wording

SCHOOL = re.compile(r"\bschool (\w+)")
DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
CODES = re.compile(r"\((\d+ [^\s,()]+(?:, \d+ [^\s,()]+)*)\)")


def readable(text: str, names: Mapping[str, str], words: Wording) -> str:
    """Return a record's text with names of schools, dates and attendance codes in words; what is not known stays as stored.

    Parameters
    ----------
    text : str
        As stored with a score or a history.
    names : mapping
        Names of schools by URN.

    Examples
    --------
    >>> readable("On the roll of school 1, left on 2025-01-13", {"1": "Hill School"}, Wording.load("en"))
    'On the roll of Hill School, left on 13 January 2025'
    >>> readable("Missed 3 of 10 sessions (2 I, 1 E)", {}, Wording.load("en"))
    'Missed 3 of 10 sessions (2 I: illness, 1 E: suspended or excluded, no provision made)'
    """

    def coded(match: re.Match[str]) -> str:
        counts = [part.split(" ") for part in match[1].split(", ")]
        if not all(code in attendance_codes() for _, code in counts):
            return match[0]
        return "(" + ", ".join(f"{n} {code}: {attendance_codes()[code].meaning}" for n, code in counts) + ")"

    text = SCHOOL.sub(lambda m: names.get(m[1], m[0]), text)
    return CODES.sub(coded, DATE.sub(lambda m: words.day(m[0]), text))
