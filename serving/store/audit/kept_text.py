"""Words of a person that stay for ever, in the audit or in the log of promotions: they must name no child, since no erasure reaches them.

A name cannot be recognised without the people file; what can be is refused here, of every command and form that keeps words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from histories.calendar import london_today
from histories.errors import Fault, Usage
from serving.store.cases.tables import Case
from serving.store.people.tables import StoredDetails
from serving.store.tables import FormerReference, Hold, Pupil, StoredScore

# The last two letters of a postcode are none of C, I, K, M, O and V; "Y9 1st week" is none.
POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?[\s-]*\d(?!(?-i:st|nd|rd|th)\b)[ABD-HJLNP-UW-Z]{2}\b", re.IGNORECASE)
UPN = re.compile(r"\b[A-Z](?:[\s./-]?\d){11}[\s./-]?[\dA-Z]\b", re.IGNORECASE)
PSEUDONYM = re.compile(r"\bp[0-9a-f]{20}\b", re.IGNORECASE)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
YEAR_FIRST = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:([\s./-])(\d\d?)\2(\d\d?)|(\d\d)(\d\d))(?!\d)")
DAY_FIRST = re.compile(r"(?<!\d)(?:(\d\d?)([\s./-])(\d\d?)\2|(\d\d)(\d\d))((?:19|20)\d\d)(?!\d)")
TWO_DIGITS = re.compile(r"(?<!\d)(\d\d?)([/-])(\d\d?)\2(\d\d)(?!\d)")
IN_WORDS = re.compile(
    rf"(?<!\d)(\d\d?)(?:st|nd|rd|th)?[\s-]*(?:of\s+)?({'|'.join(MONTHS)})[a-z]*[\s,.-]*((?:19|20)?\d\d)(?!\d)",
    re.IGNORECASE,
)
MONTH_FIRST = re.compile(
    rf"\b({'|'.join(MONTHS)})[a-z]*\s+(\d\d?)(?:st|nd|rd|th)?,?\s+((?:19|20)\d\d)(?!\d)", re.IGNORECASE
)
YOUNGEST, OLDEST = timedelta(days=4 * 365), timedelta(days=20 * 366)  # of those whose records are here
SEPARATORS = re.compile(r"[\s,;:!?()\[\]{}\"<>|]+")
MAX_NUMBER = 5  # digits of a number that is no identifier by itself
NAMED = (Pupil, StoredScore, Case, Hold, StoredDetails, FormerReference)
DO = "Say it without naming a child: this is kept for ever, and no erasure reaches it."


def must_name_nobody(
    texts: Mapping[str, str | None], connection: sa.Connection | None = None, pupils: Collection[str] = ()
) -> None:
    """Refuse words that name a child, before anything is done or kept.

    Parameters
    ----------
    texts : mapping
        By the option or field that they come from.
    connection : sqlalchemy.Connection, optional
        Of the store, in which their words are looked up as pupils' identifiers; without it only shapes are recognised.
    pupils : collection of str
        Identifiers that the command is about, known to the store or not.

    Raises
    ------
    Usage
        With a fault for each text and kind, without the words.
    """
    faults = []
    for where, text in texts.items():
        if text:
            plain = _plain(text)
            kinds = list(_shapes(plain))
            if "a pupil's identifier" not in kinds and _names(plain, connection, pupils):
                kinds.append("a pupil's identifier")
            faults += [Fault(f"the text holds {kind}", where, DO, "names_a_child") for kind in kinds]
    if faults:
        raise Usage(faults)


def _plain(text: str) -> str:
    """Return a text without what is not seen, and in plain digits and letters."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Mn"))


def _shapes(text: str) -> Iterator[str]:
    if PSEUDONYM.search(text):
        yield "a pupil's identifier"
    if UPN.search(text):
        yield "a UPN"
    if POSTCODE.search(text):
        yield "a postcode"
    if any(_is_birthday(*day) for day in _days(text)):
        yield "what may be a date of birth"


def _days(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield every year, month and day that a text may mean."""
    for year, _, month, day, packed_month, packed_day in YEAR_FIRST.findall(text):
        yield year, month or packed_month, day or packed_day
    for day, _, month, packed_day, packed_month, year in DAY_FIRST.findall(text):
        yield year, month or packed_month, day or packed_day
    for day, _, month, year in TWO_DIGITS.findall(text):
        yield f"20{year}", month, day
    for day, word, year in IN_WORDS.findall(text):
        yield f"20{year}"[-4:], str(MONTHS.index(word.lower()) + 1), day
    for word, day, year in MONTH_FIRST.findall(text):
        yield year, str(MONTHS.index(word.lower()) + 1), day


def _is_birthday(year: str, month: str, day: str) -> bool:
    try:
        born = date(int(year), int(month), int(day))
    except ValueError:
        return False
    return YOUNGEST <= london_today() - born <= OLDEST


def _names(text: str, connection: sa.Connection | None, pupils: Collection[str]) -> bool:
    words = {w for part in SEPARATORS.split(text) for w in (part, part.strip(".'/=-_")) if w}
    words = {w for w in words if not (w.isdigit() and len(w) < MAX_NUMBER)}
    spelt = {form for w in words for form in (w, w.lower(), w.upper())}
    if spelt.intersection(pupils) or any(p in text for p in pupils):
        return True
    if connection is None or not spelt:
        return False
    if connection.scalar(sa.select(sa.exists().where(Pupil.pupil_ref.in_(spelt)))):
        return True
    tables: tuple[Any, ...] = NAMED
    return any(connection.scalar(sa.select(sa.exists().where(t.pupil_id.in_(spelt)))) for t in tables)
