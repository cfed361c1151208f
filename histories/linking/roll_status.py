"""Whether each pupil was on a roll as of a day, as far as was known: on one, off since a day, or with a place from a later day."""

from __future__ import annotations

from datetime import date

import narwhals as nw
import polars as pl

from histories.calendar import day_number, day_of
from histories.reading.as_of import visible
from histories.reading.frames import collect
from histories.reading.histories import Histories


def roll_status(histories: Histories, as_of: date) -> pl.DataFrame:
    """Return the state of every pupil with a spell on a roll that was known before a day.

    Returns
    -------
    DataFrame
        ``pupil_id``; ``on_roll``; ``off_since``, the last day on a roll of a pupil who is on none; ``destination``, where the
        pupil went then, as last known; ``starts_on``, the first day of a place that was known and lies ahead.
    """
    day = day_number(as_of)
    pupils = histories.frame("enrolments").select("pupil_id").unique()
    snapshots = pupils.with_columns(nw.lit(day).cast(nw.Int32).alias("as_of"))
    spells = collect(
        visible(histories, "enrolments", snapshots).select("pupil_id", "entry_date", "leaving_date", "destination")
    )
    left = pl.col("leaving_date")
    entered = pl.col("entry_date") <= day
    spells = spells.with_columns(current=entered & (left.is_null() | (left >= day)), over=entered & (left < day))
    last = spells.filter("over").sort("leaving_date", "entry_date", "destination").group_by("pupil_id").last()
    status = spells.group_by("pupil_id").agg(
        on_roll=pl.col("current").any(), starts_on=pl.col("entry_date").filter(~entered).min()
    )
    status = status.join(last.select("pupil_id", "leaving_date", "destination"), on="pupil_id", how="left")
    off = ~pl.col("on_roll")
    return status.select(
        "pupil_id",
        "on_roll",
        pl.when(off).then(left).cast(pl.Date).alias("off_since"),
        pl.when(off).then("destination").alias("destination"),
        pl.col("starts_on").cast(pl.Date),
    ).sort("pupil_id")


def newest_record(histories: Histories) -> date:
    """Return the newest day of which anything is known, the ends of spells on rolls included; today at the latest."""
    today = day_number(date.today())
    ends = collect(histories.frame("enrolments").select("end_known").filter(nw.col("end_known") <= today))
    newest = ends["end_known"].max()
    return max(histories.last_known(), day_of(newest or 0))  # type: ignore[arg-type]
