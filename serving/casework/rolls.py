"""Each child's last enrolment as of a day, current or ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.outcome.cohort import school_age, with_school_age
from histories.calendar import day_number
from histories.reading.as_of import visible
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.reading.once import once
from histories.reading.rolls import one_roll

REACH = 365  # days for which a leaver is followed
YEARS = {"R": 0, **{str(n): n for n in range(1, 15)}}  # year groups as rolls state them
NUMBER = r"^\d{3}$"  # of an authority


def last_spells(histories: Histories, as_of: date) -> pl.DataFrame:
    """Return the last known spell of every child of school age who is on a roll or left one within a year; see ``newest_spells``."""
    return followed(newest_spells(histories, as_of), as_of)


def followed(spells: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Keep the children of school age who are on a roll, and those who left one within a year and before compulsory school age ended."""
    at_school = pl.col("on_roll") & (pl.col("nc_year") <= 11)
    within_a_year = ~pl.col("on_roll") & (pl.col("leaving_date") >= day_number(as_of) - REACH)
    left_in_time = within_a_year & (pl.col("leaving_date") < pl.col("age_ends"))
    return spells.filter(pl.col("nc_year") >= 0, at_school | left_in_time)


def spells_by_pupil(spells: pl.DataFrame, pupils: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the spells of some pupils, each as a row."""
    return {r["pupil_id"]: r for r in spells.filter(pl.col("pupil_id").is_in(list(pupils))).iter_rows(named=True)}


def newest_spells(histories: Histories, as_of: date) -> pl.DataFrame:
    """Return the last known spell of every child who was ever on a roll; see ``histories.reading.rolls.one_roll``.

    Returns
    -------
    polars.DataFrame
        ``pupil_id, urn, entry_date, leaving_date, leaving_ground, destination, destination_urn`` (days as numbers), ``authority``
        (the school's, or of a child on no roll the home's), ``left_from`` (the last school's, where that is another), ``nc_year`` (by age), ``roll_year`` (by
        the roll, which may have a child a year behind), ``states_year`` (whether the roll states one at all), ``age_begins, age_ends`` (see ``features.outcome.cohort.with_school_age``) and ``on_roll``.
    """
    day = day_number(as_of)
    one = histories.given(pa.table({"as_of": pa.array([day], pa.int32())}))
    snapshots = histories.frame("enrolments").select("pupil_id").unique().join(one, how="cross")
    spells = one_roll(visible(histories, "enrolments", snapshots).filter(nw.col("age") >= 0))
    on_roll = nw.col("leaving_date").is_null() | (nw.col("leaving_date") >= day)
    spells = spells.with_columns(on_roll.cast(nw.Int32).alias("now"))
    frame = collect(
        spells.select(
            "pupil_id",
            "urn",
            "entry_date",
            "leaving_date",
            "leaving_ground",
            "destination",
            "destination_urn",
            "now",
            "known",
            nw.col("nc_year").alias("recorded_year"),
        )
    )
    pupils = collect(once(histories, "pupils"))
    frame = frame.join(pupils.select("pupil_id", "date_of_birth", pl.col("authority").alias("home")), on="pupil_id")
    schools = collect(once(histories, "schools").select("urn", nw.col("authority").alias("school_authority")))
    frame = frame.join(schools, on="urn", how="left").with_columns(
        pl.lit(day_number(as_of), pl.Int32).alias("as_of"), pl.col("now").cast(pl.Boolean).alias("on_roll")
    )
    frame = nw.from_native(frame).with_columns((school_age("date_of_birth", "as_of") - 4).alias("nc_year")).to_native()
    frame = _with_year_of_roll(frame)
    return with_school_age(frame).with_columns(_authority()).with_columns(_left_from())


def _authority() -> pl.Expr:
    """Return whose a child is: on a roll the school's authority, on none that of the home, as far as each is known."""
    at_school = pl.coalesce("school_authority", "home", pl.lit(""))
    # A name or an ONS code is no other authority, but another spelling of one: H115.
    is_plain = pl.col("home").str.contains(NUMBER) & pl.col("school_authority").fill_null("000").str.contains(NUMBER)
    home = pl.when(is_plain).then("home")
    return pl.when("on_roll").then(at_school).otherwise(pl.coalesce(home, at_school)).alias("authority")


def _left_from() -> pl.Expr:
    """Return the authority of the last school, of a child on no roll who lives in another."""
    lives_elsewhere = ~pl.col("on_roll") & (pl.col("school_authority") != pl.col("authority"))
    return pl.when(lives_elsewhere).then("school_authority").alias("left_from")


def _with_year_of_roll(spells: pl.DataFrame) -> pl.DataFrame:
    """Add ``roll_year``: the year group by age, moved by as many years as the roll has the child behind or ahead of it.

    A roll states the year of the entry or, from a census, that of the day it was recorded; whichever is nearer to the age is meant.
    """
    stated = pl.col("recorded_year").replace_strict(YEARS, default=None, return_dtype=pl.Int32)
    ages = [(school_age("date_of_birth", on) - 4).alias(f"by_{on}") for on in ("entry_date", "known")]
    aged = nw.from_native(spells).with_columns(*ages).to_native()
    at_entry, when_known = (stated - pl.col(f"by_{on}") for on in ("entry_date", "known"))
    moved = pl.when(at_entry.abs() <= when_known.abs()).then(at_entry).otherwise(when_known)
    roll_year = pl.col("nc_year") + moved.fill_null(0)
    stated_at_all = stated.is_not_null().alias("states_year")
    return aged.with_columns(roll_year.alias("roll_year"), stated_at_all).drop(
        "by_entry_date", "by_known", "known", "recorded_year"
    )


@dataclass(frozen=True)
class SchoolsThen:
    """On whose roll some children were on an earlier day; see ``schools_then``."""

    spells: Mapping[str, list[tuple[int, int | None, str]]]

    def on(self, pupil: str, day: int, *, otherwise: str) -> str:
        """Return the school that the child began at last of those whose roll the child was on."""
        at = [urn for start, end, urn in self.spells.get(pupil, []) if start <= day and (end is None or end >= day)]
        return at[-1] if at else otherwise


def schools_then(histories: Histories, pupils: Collection[str], as_of: date) -> SchoolsThen:
    """Return where some children were on a roll on earlier days, as known as of a day."""
    if not pupils:
        return SchoolsThen({})
    keys = pa.table({"pupil_id": pa.array(sorted(pupils), pa.string())})
    keys = keys.append_column("as_of", pa.array([day_number(as_of)] * len(keys), pa.int32()))
    rows = collect(visible(histories, "enrolments", histories.given(keys)))
    spells: dict[str, list[tuple[int, int | None, str]]] = {}
    columns = rows.sort("entry_date", "urn").select("pupil_id", "entry_date", "leaving_date", "urn")
    for pupil, start, end, urn in columns.iter_rows():
        spells.setdefault(pupil, []).append((start, end, urn))
    return SchoolsThen(spells)
