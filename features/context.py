"""Columns that come from other snapshots of the same day: the school's other children, and children at the same address."""

from __future__ import annotations

from datetime import date

import narwhals as nw
import polars as pl

from features.cohort import august_before, collect, schools_once
from features.visible import visible
from histories.opening import Histories, day_of

SUMMED = ("absent_90", "unauthorised_90", "possible_90", "suspensions_365", "in_year_entries_365", "care_cin")


def add_context(histories: Histories, frame: pl.DataFrame, known: date | None = None) -> pl.DataFrame:
    """Add sums over the other children at the school, over the authority, and over children at the same address.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a snapshot of the whole cohort, with tallies.
    known : date, optional
        The day of knowledge; see ``features.visible.seen``.
    """
    days = frame["as_of"].unique().to_list()
    term = {d: _term(d) for d in days}
    august = {d: august_before(day_of(d)) for d in days}
    frame = frame.with_columns(
        pl.col("as_of").replace_strict(term, return_dtype=pl.Int64, default=0).alias("term_number"),
        (
            pl.col("as_of").replace_strict(august, return_dtype=pl.Int64, default=0)
            - pl.col("date_of_birth")
            - 365 * (pl.col("nc_year") + 4)
        ).alias("age_in_year"),
    )
    frame = frame.join(
        schools_once(histories).select(
            "urn", pl.col("phase").is_in(["special", "ap"]).cast(pl.Int64).alias("special_or_ap")
        ),
        on="urn",
        how="left",
    )
    frame = frame.join(_lost_by_school(histories, frame, known), on=["urn", "as_of"], how="left")
    return _siblings(histories, _schools(frame), known)


def _schools(frame: pl.DataFrame) -> pl.DataFrame:
    one = pl.lit(1, pl.Int64).alias("pupils")
    frame = frame.with_columns(one, pl.col("lost_730").fill_null(0))
    school, authority = ["urn", "as_of"], ["authority", "as_of"]
    others = [
        (pl.col(c).fill_null(0).sum().over(school) - pl.col(c).fill_null(0)).alias(f"school_{c}")
        for c in (*SUMMED, "pupils")
    ]
    whole = [pl.col(c).fill_null(0).sum().over(authority).alias(f"la_{c}") for c in (*SUMMED, "pupils")]
    by_school = frame.unique(["urn", "as_of"], keep="first", maintain_order=True)
    lost = by_school.group_by("authority", "as_of").agg(pl.col("lost_730").sum().alias("la_lost_730"))
    frame = frame.with_columns(*others, *whole, pl.col("lost_730").alias("school_lost_730")).join(
        lost, on=authority, how="left"
    )
    return frame.with_columns(pl.col("school_pupils").alias("school_others"))


def _lost_by_school(histories: Histories, frame: pl.DataFrame, known: date | None) -> pl.DataFrame:
    """Count the children who were known to have left each school in two years with nowhere known to go."""
    import pyarrow as pa

    days = sorted(frame["as_of"].unique().to_list())
    lazy = histories.frame("enrolments").select("pupil_id").unique()
    given = nw.from_native(histories.native_of(pa.table({"as_of": pa.array(days, pa.int32())}))).lazy()
    left = visible(histories, "enrolments", lazy.join(given, how="cross"), known).filter(
        nw.col("destination").is_in(["missing_education", "unknown"])
        & (nw.col("as_of") - nw.col("leaving_date") <= 730)
    )
    return collect(left.group_by("urn", "as_of").agg(nw.len().cast(nw.Int64).alias("lost_730")))


def _siblings(histories: Histories, frame: pl.DataFrame, known: date | None) -> pl.DataFrame:
    if "addresses" not in histories.present:
        return frame.with_columns(
            *(pl.lit(None, pl.Int64).alias(c) for c in ("siblings", "siblings_absent", "siblings_possible"))
        )
    lazy = nw.from_native(histories.native_of(frame.select("pupil_id", "as_of").to_arrow())).lazy()
    homes = visible(histories, "addresses", lazy, known).filter(
        (nw.col("age") >= 0) & nw.col("end_date").is_null() & ~nw.col("household_id").is_null()
    )
    homes = homes.unique(subset=["pupil_id", "as_of"], keep="last", order_by=["start_date", "household_id"])
    frame = frame.join(collect(homes.select("pupil_id", "as_of", "household_id")), on=["pupil_id", "as_of"], how="left")
    home = ["household_id", "as_of"]
    housed = pl.col("household_id").is_not_null()
    sums = [
        pl.when(housed).then(pl.col(c).fill_null(0).sum().over(home) - pl.col(c).fill_null(0)).otherwise(0).alias(n)
        for c, n in (
            ("pupils", "siblings"),
            ("absent_90", "siblings_absent"),
            ("possible_90", "siblings_possible"),
        )
    ]
    return frame.with_columns(*sums)


def _term(day: int) -> int:
    month = day_of(day).month
    return 1 if month >= 9 else 2 if month < 4 else 3
