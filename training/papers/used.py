"""The data a run used: tables with their sizes, and the use of each column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import narwhals as nw

from features.catalogue import catalogue
from features.groups.disclosure import HIDDEN, SMALLEST, rounded
from features.groups.groups import GROUPS, PROTECTED
from histories.calendar import day_of
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.tables import TABLES

# Columns that enter no feature, label, list or group; a test blanks them all and compares the results.
NOT_USED: dict[str, tuple[str, ...]] = {
    "pupils": ("upn", "young_carer"),
    "suspensions": ("urn",),
    "schools": ("trust", "low_age", "high_age"),
    "social_care": ("category", "end_reason"),
    "cme": ("resolution",),
    "interventions": ("pupil_id", "date", "kind", "team", "recorded_on"),
}
# Shown to workers on a page or beside a reason; no feature uses them.
SHOWN_ONLY = {
    "suspensions": ("reason",),
    "schools": ("name",),
    "enrolments": ("destination_urn",),
    "admissions": ("offered_urn",),
}
JUDGED_ONLY = {
    "pupils": ("sex", "ethnicity", "first_language"),
    "fsm": ("pupil_id", "start_date", "end_date", "recorded_on"),
}
LEARNED, JUDGED, SHOWN, UNUSED = "training, scoring and evaluation", "judging only", "shown to workers", "not used"


@dataclass(frozen=True, kw_only=True)
class TableUsed:
    """A table of the histories; small counts are hidden, others rounded."""

    name: str
    rows: str
    first: date | None
    last: date | None
    features: int


def tables_used(histories: Histories) -> list[TableUsed]:
    """Return the size of each table and the period in which it was recorded."""
    tables = []
    for name in (t for t in TABLES if t in histories.present):
        frame = histories.frame(name)
        clock = not TABLES[name].always_known
        days = (nw.col("known").min().alias("first"), nw.col("known").max().alias("last")) if clock else ()
        row = collect(frame.select(nw.len().alias("rows"), *days)).row(0, named=True)
        first, last = (day_of(int(row[k])) if row.get(k) is not None else None for k in ("first", "last"))
        tables.append(
            TableUsed(
                name=name,
                rows=counted(row["rows"]),
                first=first,
                last=last,
                features=sum(name in f.sources for f in catalogue().features),
            )
        )
    return tables


def use_of(table: str, column: str) -> str:
    """Return the use of a column; a column that an own feature counts is used, whatever is declared here."""
    if any(t.table == table and column in _expressions(t) for t in catalogue().tallies.values()):
        return LEARNED
    if column in NOT_USED.get(table, ()):
        return UNUSED
    if column in JUDGED_ONLY.get(table, ()):
        return JUDGED
    return SHOWN if column in SHOWN_ONLY.get(table, ()) else LEARNED


def _expressions(tally) -> str:  # type: ignore[no-untyped-def]
    return " ".join(f"'{part()!r}'" for part in (tally.where, tally.value) if part)


def protected_groups(present: list[str]) -> list[tuple[str, str]]:
    """Return the protected groups whose table is present, with that table."""
    return [(g.title, g.table) for g in GROUPS if g.name in PROTECTED and g.table in (*present, "cohort")]


def counted(number: float) -> str:
    """Format a count for print: rounded, or hidden if small.

    Examples
    --------
    >>> counted(7), counted(1234)
    ('[c]', '1,235')
    """
    return HIDDEN if number <= SMALLEST else f"{rounded(int(number)):,}"


def days_used(whole: Sequence[object], partly: Sequence[object]) -> str:
    """Return as text the training days with fully known windows, and the later ones that taught with the part that was known."""
    return f"{len(whole)} days, {whole[0]} to {whole[-1]}{parts_used(partly)}"


def parts_used(partly: Sequence[object]) -> str:
    """Return as text to append how many days taught only with the known part of their windows; empty for none."""
    return f", and the known part of {len(partly)} later day{'s' * (len(partly) > 1)}" * bool(partly)
