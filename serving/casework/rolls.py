"""Each child's last enrolment as of a day, current or ended."""

from __future__ import annotations

from datetime import date

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.outcome.cohort import school_age, schools_once
from histories.calendar import day_number
from histories.reading.as_of import visible
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.reading.rolls import one_roll

REACH = 365  # days for which a leaver is followed


def last_spells(histories: Histories, as_of: date) -> pl.DataFrame:
    """Return the last known spell of every child of school age who is on a roll or left one within a year; see ``newest_spells``."""
    return followed(newest_spells(histories, as_of), as_of)


def followed(spells: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Keep the children of school age who are on a roll or left one within a year."""
    within_a_year = pl.col("on_roll") | (pl.col("leaving_date") >= day_number(as_of) - REACH)
    return spells.filter(within_a_year, pl.col("nc_year").is_between(0, 11))


def newest_spells(histories: Histories, as_of: date) -> pl.DataFrame:
    """Return the last known spell of every child who was ever on a roll; see ``histories.reading.rolls.one_roll``.

    Returns
    -------
    polars.DataFrame
        ``pupil_id, urn, entry_date, leaving_date, leaving_ground, destination, destination_urn`` (days as numbers), ``authority``,
        ``nc_year`` (by age) and ``on_roll``.
    """
    day = day_number(as_of)
    one = histories.given(pa.table({"as_of": pa.array([day], pa.int32())}))
    snapshots = histories.frame("enrolments").select("pupil_id").unique().join(one, how="cross")
    spells = one_roll(visible(histories, "enrolments", snapshots).filter(nw.col("age") >= 0))
    on_roll = nw.col("leaving_date").is_null() | (nw.col("leaving_date") >= day)
    spells = spells.with_columns(on_roll.cast(nw.Int32).alias("now"))
    frame = collect(
        spells.select(
            "pupil_id", "urn", "entry_date", "leaving_date", "leaving_ground", "destination", "destination_urn", "now"
        )
    )
    pupils = collect(histories.frame("pupils").unique(subset=["pupil_id"], keep="last", order_by=["date_of_birth"]))
    frame = frame.join(pupils.select("pupil_id", "date_of_birth", pl.col("authority").alias("home")), on="pupil_id")
    schools = schools_once(histories).select("urn", nw.col("authority").alias("school_authority")).to_native()
    frame = frame.join(schools, on="urn", how="left").with_columns(
        pl.lit(day_number(as_of), pl.Int32).alias("as_of"), pl.col("now").cast(pl.Boolean).alias("on_roll")
    )
    frame = nw.from_native(frame).with_columns((school_age("date_of_birth", "as_of") - 4).alias("nc_year")).to_native()
    return frame.with_columns(pl.coalesce("school_authority", "home", pl.lit("")).alias("authority"))
