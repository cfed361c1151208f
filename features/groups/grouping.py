"""The groups of each snapshot of the cohort, as known before the day."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.counting.spells import with_joinings
from features.groups.groups import GROUPS, NOT_RECORDED, Group
from features.outcome.cohort import CohortRule, cohort, school_age
from histories.reading.as_of import come, visible
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.reading.once import once

KEYS = ["pupil_id", "as_of"]


def grouped(
    histories: Histories, as_of: list[date], rule: CohortRule | None = None, names: Collection[str] | None = None
) -> pa.Table:
    """Return the groups of the cohort's snapshots.

    Parameters
    ----------
    histories : Histories
    as_of : list of date
    rule : CohortRule, optional
    names : collection of str, optional
        The groups to return, such as ``PROTECTED``; all by default.

    Returns
    -------
    pyarrow.Table
        ``pupil_id, as_of`` and a text column for each group whose table is present, sorted by day and pupil; unrecorded values
        are ``not_recorded``.
    """
    frame = _snapshots(histories, as_of, rule)
    requested = [g for g in GROUPS if names is None or g.name in names]
    present = [g for g in requested if g.table == "cohort" or g.table in histories.present]
    values = frame.select(KEYS)
    for table in dict.fromkeys(g.table for g in present):
        groups = [g for g in present if g.table == table]
        wide = (
            frame
            if not groups[0].counts
            else frame.select(KEYS).join(_counted(histories, table, frame, groups), on=KEYS, how="left")
        )
        codes = (g.code().fill_null(NOT_RECORDED).alias(g.name) for g in groups)
        values = values.join(wide.select(*KEYS, *codes), on=KEYS, how="left")
    values = values.select(*KEYS, *(g.name for g in present)).sort("as_of", "pupil_id")
    return values.with_columns(pl.col("as_of").cast(pl.Date)).to_arrow()


def _snapshots(histories: Histories, as_of: list[date], rule: CohortRule | None) -> pl.DataFrame:
    """Return the cohort with each child's age on the last 31 August and the phase of the school."""
    members = pl.DataFrame(cohort(histories, as_of, rule)).with_columns(pl.col("as_of").cast(pl.Int32))
    schools = collect(once(histories, "schools").select("urn", "phase"))
    aged = nw.from_native(members).with_columns(school_age("date_of_birth", "as_of").alias("age")).to_native()
    return aged.join(schools, on="urn", how="left")


def _counted(histories: Histories, table: str, frame: pl.DataFrame, groups: list[Group]) -> pl.DataFrame:
    """Aggregate one table for its groups in one pass over the visible rows; attendance, the largest, one day at a time."""
    counts = {n: e for g in groups if g.counts for n, e in g.counts().items()}
    keys = frame.select(KEYS)
    passes = keys.partition_by("as_of") if table == "attendance" and len(keys) else [keys]
    parts = []
    for snapshots in passes:
        rows = come(visible(histories, table, histories.given(snapshots.to_arrow())), table)
        rows = _prepared(histories, table, rows)
        parts.append(collect(rows.group_by(*KEYS).agg(*(e.alias(n) for n, e in counts.items()))))
    return pl.concat(parts)


def _prepared(histories: Histories, table: str, rows: nw.LazyFrame) -> nw.LazyFrame:
    """Mark rows that are open on the day, and join columns of other tables."""
    if table == "attendance":
        return rows.filter((nw.col("age") >= 1) & (nw.col("age") <= 365))
    if table == "enrolments":
        return with_joinings(histories, rows).with_columns((nw.col("in_year_entry") == 1).alias("in_year"))
    if table == "addresses":
        areas = once(histories, "areas").select("lsoa", "idaci_decile")
        rows = rows.join(areas, on="lsoa", how="left")
    if "end_date" in rows.collect_schema().names():
        rows = rows.with_columns(nw.col("end_date").is_null().alias("open"))
    return rows
