"""What was recorded lately, by the children's authority: a neighbour's records do not hide that an authority's have stopped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

import narwhals as nw

from histories.calendar import day_number, day_of
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.reading.once import once

T = TypeVar("T")
WEEKS = timedelta(weeks=4)
LOOKED_BACK = timedelta(days=400)  # for an authority's newest record


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Mean days from a mark to its record, of the marks recorded in four weeks."""

    marks: int
    days: float


def recorded(histories: Histories, table: str, day: date) -> dict[str, int]:
    """Count the rows of a table that were recorded in the weeks before a day, by the children's authority."""
    rows = _of_authorities(histories, _recorded_before(histories, table, day))
    counted = rows.group_by("authority").agg(nw.col("known").count().alias("n"))
    return {authority or "": n for authority, n in collect(counted).select("authority", "n").iter_rows()}


def by_authority(
    feeds: Mapping[str, tuple[Mapping[str, int], Mapping[str, int]]],
) -> dict[str, dict[str, tuple[int, int]]]:
    """Return the counts of each authority by table; nothing if there is one authority only."""
    authorities = sorted({a for now, then in feeds.values() for a in (*now, *then)})
    if len(authorities) < 2:
        return {}
    return {a: {t: (now.get(a, 0), then.get(a, 0)) for t, (now, then) in feeds.items()} for a in authorities}


def several(of: dict[str, T]) -> dict[str, T]:
    """Return figures by authority if there are several; the only one's are those of all."""
    return of if len(of) > 1 else {}


def compared_delays(
    now: Mapping[str, Delay], then: Mapping[str, Delay]
) -> tuple[tuple[Delay, Delay], dict[str, tuple[Delay, Delay]]]:
    """Return the delay of marks now and a year before, of all authorities together and of each."""
    none = Delay(marks=0, days=0.0)
    of_each = {a: (now.get(a, none), then.get(a, none)) for a in sorted(now.keys() | then.keys())}
    return (_together(now.values()), _together(then.values())), of_each


def newest_records(histories: Histories, day: date, authorities: Iterable[str]) -> dict[str, date]:
    """Return the day of the newest record of schooling before a day of the children of each authority.

    One without a record in ``LOOKED_BACK`` days has that of so many days ago.
    """
    since = day - LOOKED_BACK
    rows = histories.schooling_since(since).filter(nw.col("known") < day_number(day))
    newest = _of_authorities(histories, rows).group_by("authority").agg(nw.col("known").max().alias("newest"))
    found = {a or "": day_of(int(n)) for a, n in collect(newest).select("authority", "newest").iter_rows()}
    return {a: found.get(a, since) for a in authorities}


def _recorded_before(histories: Histories, table: str, day: date) -> nw.LazyFrame:
    known = nw.col("known")
    return histories.frame(table).filter((known >= day_number(day - WEEKS)) & (known < day_number(day)))


def _of_authorities(histories: Histories, rows: nw.LazyFrame) -> nw.LazyFrame:
    pupils = once(histories, "pupils").select("pupil_id", "authority")
    return rows.join(pupils, on="pupil_id", how="left")


def delays(histories: Histories, day: date) -> dict[str, Delay]:
    """Return the delay of the marks recorded in the weeks before a day, by the children's authority."""
    late = nw.col("known") - nw.col("date")
    rows = _recorded_before(histories, "attendance", day).select("pupil_id", late.alias("late"))
    sums = _of_authorities(histories, rows).group_by("authority")
    counted = collect(sums.agg(nw.col("late").count().alias("marks"), nw.col("late").sum().alias("days")))
    of_each = counted.select("authority", "marks", "days").iter_rows()
    return {a or "": Delay(marks=n, days=total / n) for a, n, total in of_each if n}


def _together(delays: Iterable[Delay]) -> Delay:
    delays = list(delays)
    marks = sum(d.marks for d in delays)
    return Delay(marks=marks, days=sum(d.days * d.marks for d in delays) / max(marks, 1))
