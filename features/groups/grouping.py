"""The groups of the cohort's snapshots: what each declared group says of each child, as known before the day."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.groups.groups import GROUPS, NOT_RECORDED, Group
from features.outcome.cohort import CohortRule, august_before, cohort, completed_years
from histories.calendar import day_number, day_of
from histories.reading.as_of import visible
from histories.reading.frames import collect
from histories.reading.histories import Histories

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
        The groups wanted, such as ``PROTECTED``; all unless named.

    Returns
    -------
    pyarrow.Table
        ``pupil_id, as_of`` and a column of texts for each group whose table was given, sorted by day and pupil; what nobody
        recorded is ``not_recorded``.
    """
    frame = _snapshots(histories, as_of, rule)
    asked = [g for g in GROUPS if names is None or g.name in names]
    given = [g for g in asked if g.table == "cohort" or g.table in histories.present]
    made = frame.select(KEYS)
    for table in dict.fromkeys(g.table for g in given):
        own = [g for g in given if g.table == table]
        wide = (
            frame
            if not own[0].counts
            else frame.select(KEYS).join(_counted(histories, table, frame, own), on=KEYS, how="left")
        )
        codes = (g.code().fill_null(NOT_RECORDED).alias(g.name) for g in own)
        made = made.join(wide.select(*KEYS, *codes), on=KEYS, how="left")
    made = made.select(*KEYS, *(g.name for g in given)).sort("as_of", "pupil_id")
    return made.with_columns(pl.col("as_of").cast(pl.Date)).to_arrow()


def _snapshots(histories: Histories, as_of: list[date], rule: CohortRule | None) -> pl.DataFrame:
    """Return the cohort with each child's age on the 31 August before and the phase of the school."""
    frame = pl.from_arrow(cohort(histories, as_of, rule))
    schools = collect(histories.frame("schools").select("urn", "phase")).unique(
        "urn", keep="first", maintain_order=True
    )
    august = [pl.Series("august", [august_before(d) for d in frame["as_of"].to_list()], pl.Int32)]  # type: ignore[union-attr, index]
    frame = frame.with_columns(*august, pl.col("as_of").cast(pl.Int32))  # type: ignore[union-attr]
    frame = nw.from_native(frame).with_columns(completed_years("date_of_birth", "august").alias("age")).to_native()
    return frame.join(schools, on="urn", how="left")


def _counted(histories: Histories, table: str, frame: pl.DataFrame, groups: list[Group]) -> pl.DataFrame:
    """Count what the groups of one table ask for in one pass over its visible rows; marks, which are many, a day at a time."""
    counts = {n: e for g in groups if g.counts for n, e in g.counts().items()}
    keys = frame.select(KEYS)
    passes = keys.partition_by("as_of") if table == "attendance" and len(keys) else [keys]
    parts = []
    for snapshots in passes:
        rows = visible(histories, table, histories.given(snapshots.to_arrow()))
        rows = _prepared(histories, table, rows, snapshots["as_of"].unique().to_list())
        parts.append(collect(rows.group_by(*KEYS).agg(*(e.alias(n) for n, e in counts.items()))))
    return pl.concat(parts)


def _prepared(histories: Histories, table: str, rows: nw.LazyFrame, days: list[int]) -> nw.LazyFrame:
    """Mark the rows that are open on the day, and bring what lies in another table."""
    if table == "attendance":
        return rows.filter((nw.col("age") >= 1) & (nw.col("age") <= 365))
    if table == "enrolments":
        # A move lies in the middle of a year when it is well after the weeks in which years begin and before the summer's end.
        years = {day_of(d).year - back for d in days for back in range(3)} or {1970}
        spans = [(day_number(date(y, 9, 26)), day_number(date(y + 1, 8, 11))) for y in sorted(years)]
        inside = (nw.col("entry_date").is_between(a, b) for a, b in spans)
        return rows.with_columns(nw.any_horizontal(*inside, ignore_nulls=True).alias("in_year"))
    if table == "addresses":
        areas = histories.frame("areas").select("lsoa", "idaci_decile").unique(subset=["lsoa"], keep="any")
        rows = rows.join(areas, on="lsoa", how="left")
    if "end_date" in rows.collect_schema().names():
        ended = ~nw.col("end_date").is_null() & (nw.col("end_date") < nw.col("as_of"))
        rows = rows.with_columns(((nw.col("age") >= 0) & ~ended).alias("open"))
    return rows
