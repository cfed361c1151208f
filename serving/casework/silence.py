"""Registers that stopped: children no longer marked while their school marks others, and schools that send no marks."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl

from features.attendance.register import MEASURES
from histories.calendar import day_number, day_of
from histories.reading.frames import collect
from histories.reading.histories import Histories
from serving.casework.school_days import SchoolDays

MIN_DAYS = 3  # school days without a mark from which a register counts as silent


def silent_registers(
    histories: Histories, pupils: list[str], on_roll: pl.DataFrame, as_of: date, days: SchoolDays
) -> dict[str, dict[str, Any]]:
    """Return which of some children's registers have stopped.

    Returns
    -------
    dict
        ``{pupil_id: {"since", "days", "school", "at_least"}}``: the day of the last mark, or of joining; the school days since; whether the
        whole school is silent, not only the child; and, if it is so, that there were more before the days that are counted.
    """
    if "attendance" not in histories.present or not days.marked:
        return {}
    at = on_roll.filter(pl.col("pupil_id").is_in(pupils)).select("pupil_id", "urn", "entry_date")
    last_marks = _last_marks(histories, at, as_of)
    usual = _usual_days(days)
    silent: dict[str, dict[str, Any]] = {}
    for pupil, urn, entered in at.iter_rows():
        marked = days.marked.get(urn, set())
        since = last_marks.get(pupil, max(day_of(entered), days.first))
        of_school = max(marked, default=days.first)
        for whole, last, open_days in ((False, since, marked), (True, of_school, usual)):
            missing = sum(last < day < as_of for day in open_days)
            if missing >= MIN_DAYS:
                silent[pupil] = {"since": last.isoformat(), "days": missing, "school": whole}
                if last < days.first:
                    silent[pupil]["at_least"] = True
                break
    return silent


def _last_marks(histories: Histories, at: pl.DataFrame, as_of: date) -> dict[str, date]:
    day = day_number(as_of)
    marks = histories.frame("attendance").filter(
        (nw.col("date") < day) & (nw.col("known") < day) & nw.col("code").is_in(list(MEASURES["possible"]))
    )
    keys = histories.given(at.select("pupil_id").to_arrow())
    newest = collect(marks.join(keys, on="pupil_id", how="semi").group_by("pupil_id").agg(nw.col("date").max()))
    return {pupil: day_of(last) for pupil, last in newest.select("pupil_id", "date").iter_rows()}


def _usual_days(days: SchoolDays) -> set[date]:
    """Return the days on which at least half of the schools marked a register."""
    marked = Counter(day for of_school in days.marked.values() for day in of_school)
    return {day for day, schools in marked.items() if 2 * schools >= len(days.marked)}
