"""Whether each pupil was known to be on a roll as of a day: on roll, off roll since a day, or due to start later."""

from __future__ import annotations

from datetime import date

import narwhals as nw
import polars as pl

from histories.calendar import day_number, day_of, london_today
from histories.reading.as_of import visible
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.reading.rolls import one_roll


def roll_status(histories: Histories, as_of: date) -> pl.DataFrame:
    """Return the status of every pupil with a spell that was known before a day.

    Returns
    -------
    DataFrame
        ``pupil_id``; ``on_roll``; ``off_since``, the last day on a roll if the pupil is on none; ``destination``, the known
        destination after it; ``starts_on``, the first day of a known spell that has not begun.
    """
    day = day_number(as_of)
    pupils = histories.frame("enrolments").select("pupil_id").unique()
    snapshots = pupils.with_columns(nw.lit(day).cast(nw.Int32).alias("as_of"))
    columns = ("pupil_id", "as_of", "urn", "status", "entry_date", "leaving_date", "destination")
    spells = collect(visible(histories, "enrolments", snapshots).select(*columns))
    left = pl.col("leaving_date")
    entered = pl.col("entry_date") <= day
    spells = spells.with_columns(current=entered & (left.is_null() | (left >= day)), over=entered & (left < day))
    last = collect(one_roll(nw.from_native(spells.filter("over").lazy())))
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
    """Return the day of the newest record, ends of spells on rolls included; today at the latest."""
    today = day_number(london_today())
    ends = collect(histories.frame("enrolments").select("end_known").filter(nw.col("end_known") <= today))
    newest = ends["end_known"].max()
    return max(histories.last_known(), day_of(newest or 0))  # type: ignore[arg-type]
