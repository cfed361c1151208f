"""The cohort: the snapshots that are scored, with the school of each as known on the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Self

import narwhals as nw
import polars as pl
import pyarrow as pa
from pydantic import Field, field_validator, model_validator

from features.outcome.definition import NO_AGES
from histories.calendar import as_of_dates, compulsory_school_age, day_number, day_of
from histories.codes import code_set
from histories.errors import Fault, Faults
from histories.io.settings_file import SettingsFile
from histories.io.toml import read_toml
from histories.reading.as_of import visible_each_day
from histories.reading.frames import Frame, gathered
from histories.reading.histories import Histories
from histories.reading.once import once
from histories.reading.rolls import one_roll

FIRST_DAY = {"attendance": "date", "termly_attendance": "term_start", "enrolments": "known"}
SETTLED = 60  # days of records before the first as-of date


@dataclass(frozen=True)
class CohortRule:
    """Who is scored.

    Attributes
    ----------
    min_age, max_age : int
        Ages on the 31 August before the as-of date.
    exclude_open_cases : bool
        Exclude children with an open case of missing education.
    phases : tuple of str
        Phases of the school; empty means all.
    """

    min_age: int = 4
    max_age: int = 15
    exclude_open_cases: bool = True
    phases: tuple[str, ...] = ()

    @classmethod
    def load(cls, file: Path | None) -> CohortRule:
        """Read a rule from a TOML file; without one, the default rule.

        Raises
        ------
        Faults
            For bad TOML, unknown keys and wrong values.
        """
        if file is None:
            return cls()
        rule = CohortFile.of(read_toml(Path(file)), Path(file), "Correct the file.").model_dump(exclude_unset=True)
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in rule.items()}
        return cls(**values)


class CohortFile(SettingsFile):
    """The keys of a cohort rule's TOML file."""

    min_age: int = Field(default=4, strict=True, description="a whole number")
    max_age: int = Field(default=15, strict=True, description="a whole number")
    exclude_open_cases: bool = Field(default=True, strict=True, description="true or false")
    phases: list[str] = Field(default=[], description=f"a list of {', '.join(code_set('phase'))}")

    @field_validator("phases")
    @classmethod
    def known_phases(cls, phases: list[str]) -> list[str]:
        """Refuse phases outside the code set; case and blanks do not count, as in histories."""
        phases = [phase.strip().lower() for phase in phases]
        if not set(phases) <= set(code_set("phase")):
            raise ValueError("there is no such phase")
        return phases

    @model_validator(mode="after")
    def has_ages(self) -> Self:
        """Refuse ages between which there is none."""
        if self.min_age > self.max_age:
            raise ValueError(NO_AGES)
        return self


def cohort(
    histories: Histories, as_of: list[date], rule: CohortRule | None = None, known_on: date | None = None
) -> pa.Table:
    """Return the snapshots of the cohort.

    Parameters
    ----------
    as_of : list of date
        The as-of dates.
    rule : CohortRule, optional
    known_on : date, optional
        The day of knowledge; see ``histories.reading.as_of.seen``.

    Returns
    -------
    pyarrow.Table
        ``pupil_id, as_of (date), urn, authority, nc_year (0 = Reception), entry_date (day number)``, sorted by day and pupil.
    """
    return (
        snapshots_of(histories, as_of, rule, known_on)
        .to_native()
        .with_columns(pl.col("as_of").cast(pl.Date))
        .to_arrow()
    )


def snapshots_of(
    histories: Histories, as_of: list[date], rule: CohortRule | None = None, known_on: date | None = None
) -> Frame:
    """Return the snapshots of the cohort with ``as_of`` as a day number; see ``cohort``."""
    rule = rule or CohortRule()
    spells = _current_spells(histories, as_of, known_on)
    pupils = gathered(once(histories, "pupils"))
    frame = spells.join(pupils.select("pupil_id", "date_of_birth", nw.col("authority").alias("home")), on="pupil_id")
    frame = frame.with_columns(school_age("date_of_birth", "as_of").alias("age"))
    frame = frame.filter(nw.col("age").is_between(rule.min_age, rule.max_age))
    schools = gathered(once(histories, "schools")).select("urn", "phase", nw.col("authority").alias("school_authority"))
    frame = frame.join(schools, on="urn", how="left")
    if rule.phases:
        if "schools" not in histories.present:
            do = "Add the table schools, or leave 'phases' out of the rule."
            raise Faults(Fault("the phases of schools are not known", "schools", do))
        frame = frame.filter(nw.col("phase").is_in(list(rule.phases)))
    if rule.exclude_open_cases and "cme" in histories.present:
        cases = visible_each_day(histories, "cme", map(day_number, as_of), known_on)
        cases = cases.filter(nw.col("resolved_on").is_null()).select("pupil_id", "as_of").unique()
        frame = frame.join(gathered(cases), on=["pupil_id", "as_of"], how="anti")
    frame = frame.sort("as_of", "pupil_id").with_columns(
        nw.coalesce("school_authority", "home", nw.lit("")).alias("authority"),
        (nw.col("age") - 4).alias("nc_year"),
    )
    return frame.select("pupil_id", "as_of", "urn", "authority", "nc_year", "entry_date", "date_of_birth")


def _current_spells(histories: Histories, as_of: list[date], known_on: date | None) -> Frame:
    spells = visible_each_day(histories, "enrolments", map(day_number, as_of), known_on).filter(
        (nw.col("age") >= 0) & (nw.col("leaving_date").is_null() | (nw.col("leaving_date") >= nw.col("as_of")))
    )
    # Hardly more rows than children, of which one is chosen faster in memory.
    spells = gathered(spells.select("pupil_id", "as_of", "urn", "entry_date", "leaving_date", "status"))
    return one_roll(spells).select("pupil_id", "as_of", "urn", "entry_date")


def with_school_age(pupils: pl.DataFrame) -> pl.DataFrame:
    """Add the first and the last day of compulsory school age to pupils with a ``date_of_birth``: ``age_begins, age_ends`` (as numbers)."""
    born = pupils.select("date_of_birth").unique().drop_nulls()
    days = [tuple(map(day_number, compulsory_school_age(day_of(number)))) for number in born["date_of_birth"]]
    ages = born.with_columns(
        pl.Series("age_begins", [begins for begins, _ in days], pl.Int32),
        pl.Series("age_ends", [ends for _, ends in days], pl.Int32),
    )
    return pupils.join(ages, on="date_of_birth", how="left", maintain_order="left")


def august_before(day: date) -> int:
    """Return the day number of the 31 August before a day."""
    return day_number(date(day.year if (day.month, day.day) > (8, 31) else day.year - 1, 8, 31))


@cache
def school_age(born: str, on: str) -> nw.Expr:
    """Return the age in whole years on the 31 August before a day, from two columns of day numbers."""
    birth, day = nw.col(born).cast(nw.Date), nw.col(on).cast(nw.Date)
    # Polars returns months as Int8, which would overflow times 100.
    born_on, today = (x.dt.month().cast(nw.Int32) * 100 + x.dt.day().cast(nw.Int32) for x in (birth, day))
    before_september, after_august = (today <= 831).cast(nw.Int32), (born_on > 831).cast(nw.Int32)
    return day.dt.year() - before_september - birth.dt.year() - after_august


def default_as_of(histories: Histories, until: date | None = None) -> list[date]:
    """Return the second Monday of every term with recorded data, before ``until`` if given."""
    first = first_recorded(histories)
    dates = as_of_dates(first + timedelta(days=SETTLED), histories.last_known()) if first is not None else []
    return [d for d in dates if until is None or d < until]


def first_recorded(histories: Histories) -> date | None:
    """Return the day from which attendance, or else rolls, are recorded; None without records.

    Spells reach further back, but only those of children who had not left by then: on an earlier day nobody would go missing. Where one
    authority sends daily marks and another counts by term, the first of either begins; counts of an earlier term were not there before they were known.
    """
    marked: list[str] = [t for t in ("attendance", "termly_attendance") if t in histories.present]
    columns = FIRST_DAY | {"termly_attendance": "known"} if len(marked) > 1 else FIRST_DAY
    days = [histories.first_day(table, columns[table]) for table in marked or ["enrolments"]]
    return min((day for day in days if day is not None), default=None)
