"""Faults put into simulated records from a day on, as they come in practice: what a return then says otherwise, or no longer says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl

Tables = dict[str, pl.DataFrame]  # in canonical form: days are day numbers
FOREVER = 10**6
MIN_CHILDREN = 30  # on the roll of a school that stops sending


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault in records.

    Attributes
    ----------
    title : str
    codes : tuple of str
        The alarms that should find it.
    put : callable
        Takes the tables, the first day of the fault as a day number, the cohort of that day and a generator; returns the tables that change.
    features : bool
        Whether features must be computed again to see it.
    needs : str
        The table that it is about: a world without it cannot have the fault.
    """

    title: str
    codes: tuple[str, ...]
    put: Callable[[Tables, int, pl.DataFrame, np.random.Generator], Tables]
    features: bool = False
    needs: str = "attendance"


def chosen(children: pl.Series, share: float, rng: np.random.Generator) -> pl.Series:
    """Draw a share of different children."""
    ids = children.unique().sort()
    return ids.gather(np.sort(rng.choice(len(ids), round(share * len(ids)), replace=False)))


def without_schools(tables: Tables, start: int, urns: list[str]) -> Tables:
    """Drop what schools would have sent of the children on their rolls."""
    left = pl.col("leaving_date").fill_null(FOREVER)
    spells = tables["enrolments"].filter(pl.col("urn").is_in(urns) & (left >= start))
    there = spells.group_by("pupil_id").agg(pl.col("entry_date").min().alias("from"), left.max().alias("to"))
    marks = tables["attendance"].join(there, on="pupil_id", how="left", maintain_order="left")
    at_school = pl.col("date").is_between(pl.max_horizontal("from", pl.lit(start)), pl.col("to")).fill_null(False)
    return {"attendance": marks.filter(~at_school).drop("from", "to")}


def school_stops(tables: Tables, start: int, members: pl.DataFrame, rng: np.random.Generator) -> Tables:
    """One school sends no marks."""
    sizes = members.group_by("urn").len().filter(pl.col("len") >= MIN_CHILDREN).sort("urn")
    return without_schools(tables, start, [sizes["urn"][int(rng.integers(len(sizes)))]])


def schools_stop(tables: Tables, start: int, members: pl.DataFrame, rng: np.random.Generator) -> Tables:
    """Four schools in ten send no marks."""
    return without_schools(tables, start, chosen(members["urn"], 0.4, rng).to_list())


def stops(table: str, day: str, tables: Tables, start: int, _: pl.DataFrame, __: np.random.Generator) -> Tables:
    """Nothing is recorded in a table any more."""
    known = pl.coalesce("recorded_on", day)
    return {table: tables[table].filter(known < start)}


def marks_thin(share: float, tables: Tables, start: int, members: pl.DataFrame, rng: np.random.Generator) -> Tables:
    """The marks of a share of the children are not sent."""
    dropped = chosen(tables["pupils"]["pupil_id"], share, rng)
    marks = tables["attendance"]
    return {"attendance": marks.filter((pl.col("date") < start) | ~pl.col("pupil_id").is_in(dropped.implode()))}


def marks_late(days: int, tables: Tables, start: int, _: pl.DataFrame, __: np.random.Generator) -> Tables:
    """Marks are recorded days later than before."""
    known = pl.coalesce("recorded_on", "date")
    late = pl.when(pl.col("date") >= start).then(known + days).otherwise("recorded_on")
    return {"attendance": tables["attendance"].with_columns(late.cast(pl.Int32).alias("recorded_on"))}


def cohort_grows(tables: Tables, start: int, _: pl.DataFrame, rng: np.random.Generator) -> Tables:
    """A sixth of the children were of schools that had not been imported before: they appear, with all their records."""
    new = pl.col("pupil_id").is_in(chosen(tables["pupils"]["pupil_id"], 1 / 6, rng).implode())
    known = pl.max_horizontal(pl.coalesce("recorded_on", "entry_date"), pl.lit(start))
    appears = pl.when(new).then(known).otherwise("recorded_on").cast(pl.Int32).alias("recorded_on")
    return {"enrolments": tables["enrolments"].with_columns(appears)}


def cohort_shrinks(tables: Tables, start: int, _: pl.DataFrame, rng: np.random.Generator) -> Tables:
    """A sixth of the children are of schools whose return says that all have left."""
    gone = pl.col("pupil_id").is_in(chosen(tables["pupils"]["pupil_id"], 1 / 6, rng).implode())
    spells = tables["enrolments"].filter(~gone | (pl.col("entry_date") < start))
    ends = gone & (pl.col("leaving_date").is_null() | (pl.col("leaving_date") >= start))
    day = pl.lit(start, pl.Int32)
    return {
        "enrolments": spells.with_columns(
            pl.when(ends).then(day).otherwise(c).alias(c) for c in ("leaving_date", "leaving_recorded_on")
        )
    }


def recoded(tables: Tables, start: int, _: pl.DataFrame, __: np.random.Generator) -> Tables:
    """Illness is recorded as absence without permission."""
    ill = (pl.col("date") >= start) & (pl.col("code") == "I")
    code = pl.when(ill).then(pl.lit("O")).otherwise("code").alias("code")
    return {"attendance": tables["attendance"].with_columns(code)}


FAULTS = (
    Fault(title="a school sends no marks", codes=("A011",), put=school_stops),
    Fault(title="marks of all schools stop", codes=("A010",), put=partial(stops, "attendance", "date")),
    Fault(title="enrolments stop", codes=("A010",), put=partial(stops, "enrolments", "entry_date"), needs="enrolments"),
    Fault(
        title="suspensions stop", codes=("A010",), put=partial(stops, "suspensions", "start_date"), needs="suspensions"
    ),
    Fault(title="marks of two thirds of the children are not sent", codes=("A010",), put=partial(marks_thin, 2 / 3)),
    Fault(title="marks are recorded seven days later", codes=("A012",), put=partial(marks_late, 7)),
    Fault(title="marks are recorded four days later", codes=("A012",), put=partial(marks_late, 4)),
    Fault(title="the cohort grows by a fifth", codes=("A009",), put=cohort_grows, needs="enrolments"),
    Fault(title="a sixth of the cohort is gone", codes=("A009",), put=cohort_shrinks, needs="enrolments"),
    Fault(title="four schools in ten send no marks", codes=("A011", "A013"), put=schools_stop, features=True),
    Fault(title="illness is coded as without permission", codes=("A014",), put=recoded, features=True),
    Fault(
        title="counts of a term are not sent any more",
        codes=("A013",),  # A010 looks at tables whose rows come all year round only
        put=partial(stops, "termly_attendance", "term_end"),
        features=True,
        needs="termly_attendance",
    ),
)
