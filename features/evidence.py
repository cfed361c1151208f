"""Evidence: the dated records behind a reason, as they were visible on the as-of date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

import narwhals as nw
import pyarrow as pa
from typing_extensions import TypedDict

from features.attendance.register import MEASURES
from features.sentences import agreed
from histories.calendar import day_number, day_of
from histories.codes import ABSENCE_CODES, code_set
from histories.reading.as_of import come, visible
from histories.reading.frames import gathered
from histories.reading.histories import Histories
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


def evidence(
    histories: Histories, reasons: Sequence[tuple[str, Sequence[str]]], as_of: date, known_on: date | None = None
) -> list[list[Evidence]]:
    """Return the newest visible records behind each reason; each table is read once for all pupils.

    Parameters
    ----------
    reasons : sequence of (str, sequence of str)
        The pupil of each reason, and the tables that its features are counted from.
    known_on : date, optional
        The day of knowledge; see ``histories.reading.as_of.seen``.

    Returns
    -------
    list of list of dict
        For each reason its records ``{"table", "date", "text"}``: table by table, newest first, at most six of a table.
    """
    pupils, day = sorted({pupil for pupil, _ in reasons}), day_number(as_of)
    if not pupils:
        return []
    snapshots = pa.table({"pupil_id": pa.array(pupils), "as_of": pa.array([day] * len(pupils), pa.int32())})
    records: dict[tuple[str, str], list[Evidence]] = {}
    needed = histories.present & {table for _, tables in reasons for table in tables}
    for table in TABLES:
        if table in needed:
            _add(records, table, _rows(come(visible(histories, table, histories.given(snapshots), known_on), table)))
    if "attendance" in needed:
        marks = histories.frame("attendance").filter(
            nw.col("date") < day, nw.col("date") >= day - 90, nw.col("known") < day_number(known_on or as_of)
        )
        _add_marks(records, _rows(marks.join(histories.given(snapshots).select("pupil_id"), on="pupil_id", how="semi")))
    return [[r for table in tables for r in records.get((pupil, table), [])] for pupil, tables in reasons]


def _rows(frame: nw.LazyFrame) -> list[dict[str, Any]]:
    return gathered(frame).rows(named=True)


def _add(records: dict[tuple[str, str], list[Evidence]], table: str, rows: list[dict[str, Any]]) -> None:
    happened = HAPPENED[table]
    ties = [k for k in DECLARED[table].key if k not in ("pupil_id", happened)]
    for row in sorted(rows, key=lambda r: (-r[happened], *((r[c] is not None, r[c]) for c in ties))):
        newest = records.setdefault((row["pupil_id"], table), [])
        if len(newest) < MAX:
            newest.append({"table": table, "date": day_of(row[happened]).isoformat(), "text": TEXTS[table](row)})


def _add_marks(records: dict[tuple[str, str], list[Evidence]], rows: list[dict[str, Any]]) -> None:
    """Add a piece of evidence for each week with missed sessions, newest first, from the last recorded code of each session."""
    valid_codes: dict[tuple[str, int, str], str] = {}
    for row in sorted(rows, key=lambda r: (r["known"], r["code"])):
        valid_codes[row["pupil_id"], row["date"], row["session"]] = row["code"]
    weeks: dict[tuple[int, str], list[str]] = {}
    for (pupil, day, _), code in valid_codes.items():
        weeks.setdefault((day - (day + 3) % 7, pupil), []).append(code)
    for (monday, pupil), codes in sorted(weeks.items(), reverse=True):
        missed = Counter(c for c in codes if c in ABSENCE_CODES)
        possible = sum(c in MEASURES["possible"] for c in codes)
        if not missed:
            continue
        newest = records.setdefault((pupil, "attendance"), [])
        if len(newest) < MAX:
            of_each = ", ".join(f"{n} {c}" for c, n in sorted(missed.items()))
            text = agreed(f"Missed {missed.total()} of {possible} session(s) in the week from this Monday ({of_each})")
            newest.append({"table": "attendance", "date": day_of(monday).isoformat(), "text": text})


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
