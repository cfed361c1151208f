"""Columns that come from other snapshots of the same day: the school's other children, and children at the same address.

They are sums, so those of blocks of children add up to those of the whole cohort.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from features.cohort import august_before, schools_once
from histories.opening import Histories, day_of

SUMMED = ("absent_90", "unauthorised_90", "possible_90", "suspensions_365", "in_year_entries_365", "care_cin")
AT_HOME = {"pupils": "siblings", "absent_90": "siblings_absent", "possible_90": "siblings_possible"}
# What has to be known of a snapshot to be summed.
NEEDED = ("urn", "authority", "household_id", *SUMMED)


@dataclass(frozen=True)
class Sums:
    """Sums over the snapshots of one day.

    Attributes
    ----------
    schools : polars.DataFrame
        By ``urn`` and ``authority``: ``pupils`` and what is ``SUMMED``.
    homes : polars.DataFrame
        By ``household_id``: ``pupils``, ``absent_90`` and ``possible_90``.
    lost : polars.DataFrame
        By ``urn``: ``lost_730``.
    """

    schools: pl.DataFrame
    homes: pl.DataFrame
    lost: pl.DataFrame

    @classmethod
    def of(cls, frame: pl.DataFrame, lost: pl.DataFrame) -> Sums:
        """Sum snapshots of one day, with who left each school without a trace."""
        frame = frame.with_columns(pl.lit(1, pl.Int64).alias("pupils"))
        homes = frame.filter(pl.col("household_id").is_not_null())
        return cls(
            _added(frame, ["urn", "authority"], (*SUMMED, "pupils")), _added(homes, ["household_id"], AT_HOME), lost
        )

    @classmethod
    def together(cls, sums: Iterable[Sums]) -> Sums:
        """Add up the sums of blocks of children."""
        schools, homes, lost = zip(*((s.schools, s.homes, s.lost) for s in sums), strict=True)
        return cls(
            _added(pl.concat(schools), ["urn", "authority"], (*SUMMED, "pupils")),
            _added(pl.concat(homes), ["household_id"], AT_HOME),
            _added(pl.concat(lost), ["urn"], ("lost_730",)),
        )


def _added(frame: pl.DataFrame, by: list[str], columns: Iterable[str]) -> pl.DataFrame:
    return frame.group_by(by).agg(pl.col(c).fill_null(0).sum() for c in columns)


def add_context(histories: Histories, frame: pl.DataFrame, day: int, sums: Sums) -> pl.DataFrame:
    """Add sums over the other children at the school, over the authority, and over children at the same address.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a snapshot of one day, with tallies.
    day : int
        The as-of date.
    sums : Sums
        Those of the whole cohort on the day.
    """
    august, zero = august_before(day_of(day)), pl.lit(0, pl.Int64)
    kinds = pl.col("phase").is_in(["special", "ap"]).cast(pl.Int64).alias("special_or_ap")
    frame = frame.with_columns(
        pl.lit(_term(day), pl.Int64).alias("term_number"),
        (pl.lit(august, pl.Int64) - pl.col("date_of_birth") - 365 * (pl.col("nc_year") + 4)).alias("age_in_year"),
        pl.lit(1, pl.Int64).alias("pupils"),
    )
    frame = frame.join(schools_once(histories).select("urn", kinds), on="urn", how="left", maintain_order="left")
    summed = (*SUMMED, "pupils")
    schools = _added(sums.schools, ["urn"], summed).select("urn", *(pl.col(c).alias(f"school_{c}") for c in summed))
    areas = _added(sums.schools, ["authority"], summed).select(
        "authority", *(pl.col(c).alias(f"la_{c}") for c in summed)
    )
    # A school whose authority is not known counts for every authority that has children there.
    lost = (
        sums.schools.join(sums.lost, on="urn").group_by("authority").agg(pl.col("lost_730").sum().alias("la_lost_730"))
    )
    for beside, on in ((schools, "urn"), (areas, "authority"), (lost, "authority"), (sums.lost, "urn")):
        frame = frame.join(beside, on=on, how="left", maintain_order="left")
    frame = frame.with_columns(
        *((pl.col(f"school_{c}") - pl.col(c).fill_null(0)).alias(f"school_{c}") for c in summed),
        pl.col("la_lost_730").fill_null(0),
        pl.col("lost_730").fill_null(0),
    ).with_columns(pl.col("lost_730").alias("school_lost_730"), pl.col("school_pupils").alias("school_others"))
    if "addresses" not in histories.present:
        return frame.with_columns(pl.lit(None, pl.Int64).alias(name) for name in AT_HOME.values())
    homes = sums.homes.filter(pl.col("pupils") > 1).rename(AT_HOME)
    frame = frame.join(homes, on="household_id", how="left", maintain_order="left")
    own = {name: pl.col(c).fill_null(0) for c, name in AT_HOME.items()}
    return frame.with_columns(pl.coalesce(pl.col(n) - mine, zero).alias(n) for n, mine in own.items())


def _term(day: int) -> int:
    month = day_of(day).month
    return 1 if month >= 9 else 2 if month < 4 else 3
