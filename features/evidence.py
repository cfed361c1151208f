"""Evidence: the dated records behind a reason, as they were visible on the as-of date."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

import narwhals as nw
import pyarrow as pa
from typing_extensions import TypedDict

from features.attendance.counted import codes_counted
from features.attendance.missed_weeks import LOOKS_BACK, first_looked_at, missed_weeks
from features.counting.spells import homes
from features.feature import Feature
from features.sentences import agreed
from histories.calendar import day_number, day_of
from histories.codes import ABSENCE_CODES, code_set
from histories.reading.as_of import come, visible
from histories.reading.frames import collect, gathered
from histories.reading.histories import Histories
from histories.reading.marks import MarkBatch, batch_of
from histories.tables import HAPPENED
from histories.tables import TABLES as DECLARED

MAX = 6  # records of one table behind one reason, newest first
TABLES = (
    "enrolments",
    "suspensions",
    "sen",
    "addresses",
    "social_care",
    "admissions",
    "cme",
    "termly_attendance",
)


class Evidence(TypedDict):
    """A dated record behind a reason."""

    table: str
    date: str
    text: str


class Marks(NamedTuple):
    """The marks that a sentence counts.

    Attributes
    ----------
    codes : tuple of str
    days : int
        How far back from the as-of date; at most ``LOOKS_BACK`` are looked at.
    gap : int
        The days before the as-of date that it leaves out.
    """

    codes: tuple[str, ...] = ABSENCE_CODES
    days: int = LOOKS_BACK
    gap: int = 0

    @classmethod
    def of(cls, feature: Feature) -> Marks:
        """Return the marks that a feature counts."""
        return cls(_codes_of(feature.expression), min(feature.window or LOOKS_BACK, LOOKS_BACK), feature.gap)


@lru_cache(maxsize=1000)  # to read an expression takes as long as to find the marks of a child
def _codes_of(expression: Callable[[], nw.Expr]) -> tuple[str, ...]:
    return codes_counted(expression())


class Behind(NamedTuple):
    """What to look for behind a reason: of which pupil, in which tables, and which marks."""

    pupil: str
    tables: Sequence[str]
    marks: Marks = Marks()


def evidence(
    histories: Histories,
    reasons: Iterable[Behind | tuple[str, Sequence[str]]],
    as_of: date,
    known_on: date | None = None,
) -> list[list[Evidence]]:
    """Return the newest visible records behind each reason; each table is read once for all pupils.

    Parameters
    ----------
    reasons : iterable of Behind
        The pupil of each reason, the tables that its features are counted from, and the marks that its sentence counts: by default every
        absence of ``LOOKS_BACK`` days.
    known_on : date, optional
        The day of knowledge; see ``histories.reading.as_of.seen``.

    Returns
    -------
    list of list of dict
        For each reason its records ``{"table", "date", "text"}``: table by table, newest first, at most six of a table.
    """
    behind = [Behind(*reason) for reason in reasons]
    pupils, day = sorted({reason.pupil for reason in behind}), day_number(as_of)
    if not pupils:
        return []
    snapshots = pa.table({"pupil_id": pa.array(pupils), "as_of": pa.array([day] * len(pupils), pa.int32())})
    records: dict[tuple[str, str], list[Evidence]] = {}
    needed = histories.present & {table for reason in behind for table in reason.tables}
    for table in TABLES:
        if table in needed:
            rows = come(visible(histories, table, histories.given(snapshots), known_on), table)
            _add(records, table, _rows(homes(histories, rows) if table == "addresses" else rows))
    weeks: dict[tuple[str, Marks], list[Evidence]] = {}
    if "attendance" in needed:
        weeks = _weeks(histories, [r for r in behind if "attendance" in r.tables], day, day_number(known_on or as_of))
    return [
        [
            record
            for table in of.tables
            for record in (
                weeks.get((of.pupil, of.marks), []) if table == "attendance" else records.get((of.pupil, table), [])
            )
        ]
        for of in behind
    ]


def _rows(frame: nw.LazyFrame) -> list[dict[str, Any]]:
    return gathered(frame).rows(named=True)


def _add(records: dict[tuple[str, str], list[Evidence]], table: str, rows: list[dict[str, Any]]) -> None:
    happened = HAPPENED[table]
    ties = [k for k in DECLARED[table].key if k not in ("pupil_id", happened)]
    for row in sorted(rows, key=lambda r: (-r[happened], *((r[c] is not None, r[c]) for c in ties))):
        newest = records.setdefault((row["pupil_id"], table), [])
        if len(newest) < MAX:
            newest.append({"table": table, "date": day_of(row[happened]).isoformat(), "text": TEXTS[table](row)})


def _marks(histories: Histories, pupils: list[str], day: int, cut: int) -> MarkBatch:
    """Return marks among which are those that may be evidence."""
    if histories.posted_marks is not None:
        return histories.posted_marks
    marks = histories.frame("attendance").filter(
        nw.col("date") < day, nw.col("date") >= first_looked_at(day), nw.col("known") < cut
    )
    ids = histories.given(pa.table({"pupil_id": pa.array(pupils, pa.string())}))
    return batch_of(collect(marks.join(ids, on="pupil_id", how="semi")))


def _weeks(
    histories: Histories, behind: Sequence[Behind], day: int, cut: int
) -> dict[tuple[str, Marks], list[Evidence]]:
    """Return of each pupil the weeks with marks that a sentence counts, by those marks."""
    pupils_of: dict[Marks, set[str]] = {}
    for reason in behind:
        pupils_of.setdefault(reason.marks, set()).add(reason.pupil)
    marks = _marks(histories, sorted({reason.pupil for reason in behind}), day, cut)
    weeks: dict[tuple[str, Marks], list[Evidence]] = {}
    for of, pupils in pupils_of.items():
        did = _did(of.codes)
        for week in missed_weeks(marks, sorted(pupils), day, cut, MAX, codes=of.codes, days=of.days, gap=of.gap):
            of_each = ", ".join(f"{n} {code}" for code, n in sorted(week.missed.items()))
            counted = f"{did} {week.missed.total()} of {week.possible} session(s)"
            text = agreed(f"{counted} in the week from this Monday ({of_each})")
            record: Evidence = {"table": "attendance", "date": day_of(week.monday).isoformat(), "text": text}
            weeks.setdefault((week.pupil, of), []).append(record)
    return weeks


def _did(codes: Sequence[str]) -> str:
    """Return what marks with some codes say: of a part of the absences a record may not say how many were missed in all."""
    if not set(codes) <= {*ABSENCE_CODES}:
        return "Late for"
    return "Missed" if set(codes) == {*ABSENCE_CODES} else "Marked so in"


def _enrolment(row: dict[str, Any]) -> str:
    text = f"On the roll of school {row['urn']}"
    if row["leaving_date"] is not None:
        where = code_set("destination").get(row["destination"] or "unknown", "not known")
        text += f", left on {day_of(row['leaving_date']).isoformat()}; where to: {where}"
    return text


def _ended(row: dict[str, Any], text: str) -> str:
    return text if row["end_date"] is None else f"{text}, until {day_of(row['end_date']).isoformat()}"


def _admission(row: dict[str, Any]) -> str:
    if row["applied_on"] is None:
        return f"No application for {row['phase']} school in {row['entry_year']}"
    if row["offered_on"] is None:
        return f"Applied for {row['phase']} school in {row['entry_year']}; no offer known yet"
    return f"Offered a {row['phase']} place for {row['entry_year']}; {row['response'] or 'not answered yet'}"


TEXTS = {
    "enrolments": _enrolment,
    "suspensions": lambda r: (
        f"{'Permanently excluded' if r['category'] == 'PERM' else 'Suspended'}"
        + (agreed(f" for {r['sessions']} session(s)") if r["sessions"] else "")
        + (f" ({code_set('suspension_reason').get(r['reason'], 'other')})" if r["reason"] else "")
    ),
    "sen": lambda r: _ended(
        r,
        code_set("sen_provision").get(r["provision"], "provision")
        + (f" ({code_set('sen_need').get(r['primary_need'], 'other need')})" if r["primary_need"] else ""),
    ),
    "addresses": lambda r: _ended(r, "Moved to temporary accommodation" if r["temporary"] else "At this address"),
    "social_care": lambda r: _ended(r, code_set("social_care_kind").get(r["kind"], "episode").capitalize()),
    "admissions": _admission,
    "cme": lambda r: (
        "Missing education" + ("" if r["resolved_on"] is None else f", until {day_of(r['resolved_on']).isoformat()}")
    ),
    "termly_attendance": lambda r: f"{r['sessions']} sessions with code {r['code']} in the term that ended on this day",
}
