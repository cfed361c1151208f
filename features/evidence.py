"""Evidence: the dated records behind a reason, as they were visible on the day."""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.cohort import collect
from features.marks import ABSENT
from features.visible import HAPPENED, visible
from histories.codes import code_set
from histories.opening import Histories, day_number, day_of

MOST = 6  # records of one table behind one reason, newest first
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


def evidence(
    histories: Histories, pupil_ids: list[str], as_of: date, known: date | None = None
) -> dict[str, dict[str, list[Any]]]:
    """Return the newest visible records of each table for some pupils.

    Returns
    -------
    dict
        ``{pupil_id: {table: [{"table", "date", "text"}, ...]}}``, newest first, at most six a table.
    """
    if not pupil_ids:
        return {}
    day = day_number(as_of)
    given = pa.table({"pupil_id": pa.array(sorted(pupil_ids)), "as_of": pa.array([day] * len(pupil_ids), pa.int32())})
    found: dict[str, dict[str, list[dict[str, str]]]] = {p: {} for p in pupil_ids}
    for table in TABLES:
        if table in histories.present:
            rows = collect(visible(histories, table, nw.from_native(histories.native_of(given)).lazy(), known))
            _add(
                found,
                table,
                rows.sort(
                    "pupil_id",
                    HAPPENED[table],
                    *_ties(table),
                    descending=[False, True, *[False] * len(_ties(table))],
                ),
            )
    if "attendance" in histories.present:
        _add_marks(found, histories, given, day, day_number(known or as_of))
    return found


def _ties(table: str) -> list[str]:
    from histories.tables import TABLES as DECLARED

    return [k for k in DECLARED[table].key if k not in ("pupil_id", HAPPENED[table])]


def _add(found: dict[str, dict[str, list[dict[str, str]]]], table: str, rows: pl.DataFrame) -> None:
    for row in rows.iter_rows(named=True):
        own = found[row["pupil_id"]].setdefault(table, [])
        if len(own) < MOST:
            own.append({"table": table, "date": day_of(row[HAPPENED[table]]).isoformat(), "text": TEXTS[table](row)})


def _add_marks(
    found: dict[str, dict[str, list[dict[str, str]]]], histories: Histories, given: pa.Table, day: int, known: int
) -> None:
    """Say missed sessions week by week, as far back as ninety days."""
    marks = histories.frame("attendance").filter(
        (nw.col("date") < day) & (nw.col("date") >= day - 90) & (nw.col("known") < known)
    )
    keys = nw.from_native(histories.native_of(given)).lazy().select("pupil_id")
    rows = collect(marks.join(keys, on="pupil_id", how="semi").select("pupil_id", "date", "session", "code", "known"))
    rows = rows.sort("pupil_id", "date", "session", "known", "code").unique(
        ["pupil_id", "date", "session"], keep="last", maintain_order=True
    )
    rows = rows.with_columns(
        (pl.col("date") - (pl.col("date") + 3) % 7).alias("monday"),
        pl.col("code").is_in(list(ABSENT)).alias("absent"),
    )
    weeks = rows.group_by("pupil_id", "monday").agg(
        pl.len().alias("n"),
        pl.col("absent").sum().alias("missed"),
        pl.col("code").filter(pl.col("absent")).sort().alias("codes"),
    )
    for row in (
        weeks.filter(pl.col("missed") > 0).sort("pupil_id", "monday", descending=[False, True]).iter_rows(named=True)
    ):
        own = found[row["pupil_id"]].setdefault("attendance", [])
        if len(own) < MOST:
            codes = ", ".join(f"{row['codes'].count(c)} {c}" for c in sorted(set(row["codes"])))
            text = f"Missed {row['missed']} of {row['n']} sessions in the week from this Monday ({codes})"
            own.append({"table": "attendance", "date": day_of(row["monday"]).isoformat(), "text": text})


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
    "suspensions": lambda r: f"{'Permanently excluded' if r['category'] == 'PERM' else 'Suspended'}"
    + (f" for {r['sessions']} sessions" if r["sessions"] else "")
    + (f" ({code_set('suspension_reason').get(r['reason'], 'other')})" if r["reason"] else ""),
    "sen": lambda r: _ended(r, code_set("sen_provision").get(r["provision"], "provision") + (f" ({code_set('sen_need').get(r['primary_need'], 'other need')})" if r["primary_need"] else "")),
    "addresses": lambda r: _ended(r, "Moved to temporary accommodation" if r["temporary"] else "At this address"),
    "social_care": lambda r: _ended(r, code_set("social_care_kind").get(r["kind"], "episode").capitalize()),
    "admissions": _admission,
    "cme": lambda r: "Missing education" + ("" if r["resolved_on"] is None else f", until {day_of(r['resolved_on']).isoformat()}"),
    "termly_attendance": lambda r: f"{r['sessions']} sessions with code {r['code']} in the term that ended on this day",
}  # fmt: skip
