"""A child's history: attendance by week, events, and comparisons with earlier weeks and with the year group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.attendance.register import MEASURES
from features.counting.blocks import cut
from features.counting.spells import homes, with_joinings
from features.evidence import TEXTS
from histories.calendar import day_number, day_of
from histories.codes import ABSENCE_CODES
from histories.reading.as_of import come, valid_marks, visible
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.tables import HAPPENED

WEEKS, COMPARED = 52, 12
PUPILS = 10_000  # of a block, approximately
NEWEST = 4  # weeks of school that count as now
REACH = COMPARED + 10  # weeks in which the year group is counted: holidays lie between those of school
Group = tuple[str, int]  # an authority and a year group by the roll, in which the child is taught
Usual = dict[tuple[Group, str], tuple[int, int]]  # by group and Monday
REASONS = {
    "no_reason": ("N",),
    "without_leave": ("O", "U"),
    "holiday": ("G",),
    "ill": ("I",),
    "appointment": ("M",),
    "suspended": ("E",),
    "part_time": ("C2",),
}  # kinds of absence by code; the others are with leave
LANES = {
    "enrolments": "school",
    "suspensions": "suspension",
    "social_care": "care",
    "addresses": "address",
    "cme": "missing",
}
PREPARED = {"enrolments": with_joinings, "addresses": homes}


def pupil_histories(
    histories: Histories, pupils: list[str], spells: pl.DataFrame, as_of: date
) -> dict[str, dict[str, Any]]:
    """Return the history of some pupils: weeks of attendance, events and comparisons.

    Returns
    -------
    dict
        ``{pupil_id: {"weeks": [[monday, possible, missed, unauthorised]], "until": day, "reasons": {reason: missed}, "events": [{lane, date,
        end, text}], "compared": [{what, now, before, peers, weeks}]}}``; weeks oldest first, until the day of the last session, reasons of the
        ``NEWEST`` weeks of school (see ``REASONS``), shares of sessions from 0 to 1, the number of weeks of school now and before, and None
        where unknown. An event of a school says whether it was joined ``mid_year``.
    """
    if not pupils:
        return {}
    by_pupil: dict[str, dict[str, Any]] = {p: {"weeks": [], "events": [], "compared": []} for p in pupils}
    day = day_number(as_of)
    snapshots = pa.table({"pupil_id": pa.array(sorted(pupils)), "as_of": pa.array([day] * len(pupils), pa.int32())})
    if "attendance" in histories.present:
        _add_weeks(by_pupil, histories, snapshots, day)
        _compare(by_pupil, _usual(histories, spells, day), spells)
    for table, lane in LANES.items():
        if table in histories.present:
            rows = come(visible(histories, table, histories.given(snapshots)), table)
            rows = PREPARED[table](histories, rows) if table in PREPARED else rows
            _add_events(by_pupil, collect(rows), table=table, lane=lane, day=day)
    for pupil in by_pupil.values():
        pupil["events"].sort(key=lambda e: e["date"])
    return by_pupil


def _add_weeks(by_pupil: dict[str, dict[str, Any]], histories: Histories, snapshots: pa.Table, day: int) -> None:
    monday = day - (day + 3) % 7
    marks = histories.frame("attendance").filter(
        (nw.col("date") < day) & (nw.col("date") >= monday - 7 * WEEKS) & (nw.col("known") < day)
    )
    keys = histories.given(snapshots).select("pupil_id")
    rows = collect(valid_marks(marks.join(keys, on="pupil_id", how="semi")).select("pupil_id", "date", "code"))
    weeks = rows.with_columns((pl.col("date") - (pl.col("date") + 3) % 7).alias("monday")).group_by(
        "pupil_id", "monday"
    )
    counted = weeks.agg(
        pl.col("code").is_in(list(codes)).sum().alias(name)
        for name, codes in (
            ("possible", MEASURES["possible"]),
            ("missed", ABSENCE_CODES),
            ("unauthorised", MEASURES["unauthorised"]),
        )
    )
    for r in counted.sort("pupil_id", "monday").iter_rows(named=True):
        week = [day_of(r["monday"]).isoformat(), r["possible"], r["missed"], r["unauthorised"]]
        by_pupil[r["pupil_id"]]["weeks"].append(week)
    possible = rows.filter(pl.col("code").is_in(list(MEASURES["possible"])))
    for pupil_id, last in possible.group_by("pupil_id").agg(pl.col("date").max()).iter_rows():
        by_pupil[pupil_id]["until"] = day_of(last).isoformat()
    _add_reasons(by_pupil, rows)


def _add_reasons(by_pupil: dict[str, dict[str, Any]], rows: pl.DataFrame) -> None:
    """Add the sessions missed in the newest weeks of school by reason, the most frequent first."""
    kinds = dict.fromkeys(ABSENCE_CODES, "with_leave") | {c: kind for kind, codes in REASONS.items() for c in codes}
    missed = rows.filter(pl.col("code").is_in(list(ABSENCE_CODES)))
    counted = missed.group_by("pupil_id", "date", pl.col("code").replace_strict(kinds).alias("reason")).len()
    by_day: dict[str, list[tuple[int, str, int]]] = {}
    for pupil, day, reason, sessions in counted.iter_rows():
        by_day.setdefault(pupil, []).append((day, reason, sessions))
    for pupil_id, days in by_day.items():
        pupil = by_pupil[pupil_id]
        since = day_number(date.fromisoformat(newest_weeks(pupil["weeks"])[0][0]))
        totals: Counter[str] = Counter()
        for day, reason, sessions in days:
            totals[reason] += sessions if day >= since else 0
        pupil["reasons"] = {reason: n for reason, n in sorted(totals.items(), key=lambda r: (-r[1], r[0])) if n}


def newest_weeks(weeks: list[list[Any]]) -> list[list[Any]]:
    """Return the newest weeks in which school was open."""
    return _of_school(weeks)[-NEWEST:]


def _of_school(weeks: list[list[Any]]) -> list[list[Any]]:
    return [week for week in weeks if week[1]]


def _usual(histories: Histories, spells: pl.DataFrame, day: int) -> Usual:
    """Return how many sessions the children of each year group of an authority missed of how many, by the week's Monday.

    Children are counted in blocks: to find the last mark of each session, all of a block are sorted in memory.
    """
    counts: Usual = {}
    edges = cut(histories, PUPILS)
    for low, high in zip([None, *edges], [*edges, None], strict=True):
        with histories.between(low, high) as block:
            for key, missed, possible in _usual_of(block, spells, day):
                before = counts.get(key, (0, 0))
                counts[key] = (before[0] + missed, before[1] + possible)
    return {key: (missed, possible) for key, (missed, possible) in counts.items() if possible}


def _usual_of(histories: Histories, spells: pl.DataFrame, day: int) -> Iterator[tuple[tuple[Group, str], int, int]]:
    """Yield a group with the week's Monday, and the sessions missed and possible."""
    marks = histories.frame("attendance").filter(
        (nw.col("date") < day) & (nw.col("date") >= day - (day + 3) % 7 - 7 * REACH) & (nw.col("known") < day)
    )
    group_of = histories.given(spells.select("pupil_id", "authority", "roll_year").to_arrow())
    monday = nw.col("date") - (nw.col("date") + 3) % 7
    possible = nw.col("code").is_in(list(MEASURES["possible"])).cast(nw.Int64).sum().alias("possible")
    missed = nw.col("code").is_in(list(ABSENCE_CODES)).cast(nw.Int64).sum().alias("missed")
    of_weeks = valid_marks(marks.join(group_of, on="pupil_id", how="inner")).with_columns(monday.alias("monday"))
    rows = collect(of_weeks.group_by("authority", "roll_year", "monday").agg(possible, missed))
    counts = rows.select(
        "authority", "roll_year", "monday", pl.col("missed", "possible").cast(pl.Int64)
    )  # DuckDB's sums come as decimals
    for authority, year, on, n, of in counts.iter_rows():
        yield ((authority, year), day_of(on).isoformat()), n, of


def _compare(by_pupil: dict[str, dict[str, Any]], usual: Usual, spells: pl.DataFrame) -> None:
    groups = {pupil: (at, year) for pupil, at, year in spells.select("pupil_id", "authority", "roll_year").iter_rows()}
    for pupil_id, pupil in by_pupil.items():
        weeks = _of_school(pupil["weeks"])
        newest, before = weeks[-COMPARED:], weeks[-2 * COMPARED : -COMPARED]
        peers = _peers(usual, groups.get(pupil_id), [week[0] for week in newest])
        shares = {"now": _share(newest), "before": _share(before), "peers": peers}
        pupil["compared"].append({"what": "missed", **shares, "weeks": [len(newest), len(before)]})


def _peers(usual: Usual, group: Group | None, mondays: list[str]) -> float | None:
    """Return the share that a group missed in the same weeks; None unless all of them were counted."""
    counts = [usual.get((group, monday)) if group else None for monday in mondays]
    known = [count for count in counts if count]
    if not known or len(known) < len(counts):
        return None
    return sum(missed for missed, _ in known) / sum(of for _, of in known)


def _share(weeks: list[list[Any]]) -> float | None:
    possible = sum(w[1] for w in weeks)
    return sum(w[2] for w in weeks) / possible if possible else None


def _add_events(by_pupil: dict[str, dict[str, Any]], rows: pl.DataFrame, *, table: str, lane: str, day: int) -> None:
    """Add what happened in the weeks shown, and spells that reach into them."""
    end = {"enrolments": "leaving_date", "cme": "resolved_on"}.get(table, "end_date")
    earliest = day - 7 * (WEEKS + 1)
    for r in rows.iter_rows(named=True):
        started, ended = r[HAPPENED[table]], r.get(end)
        if started >= earliest or (end in r and (ended is None or ended >= earliest)):
            event: dict[str, Any] = {"lane": lane, "date": day_of(started).isoformat(), "text": TEXTS[table](r)}
            if table == "enrolments":
                event["mid_year"] = r["in_year_entry"] == 1
            if end in r:
                event["end"] = day_of(ended).isoformat() if ended is not None else None
            by_pupil[r["pupil_id"]]["events"].append(event)
