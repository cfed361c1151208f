"""Each pupil's spells and cases as finally known before a day, whatever the definition of missing."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from datetime import date, timedelta

import narwhals as nw
import polars as pl

from histories.calendar import EPOCH, day_number, day_of, london_today, school_days
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.tables import TABLES

ALL = "*"  # of all authorities
ENDS = ("leaving_date", "destination", "leaving_ground", "end_known")


@dataclass(frozen=True, kw_only=True)
class Leavings:
    """What labels are made from; read once, it serves any number of definitions and windows.

    Attributes
    ----------
    limit : int
        Day number; nothing recorded on or after it is used.
    spells : polars.DataFrame
        ``pupil_id, entry_date, leaving_date, destination, leaving_ground, end_known, next_entry``, sorted by pupil and entry.
    cases : polars.DataFrame
        ``pupil_id, missing_from, known`` of every case of missing education.
    """

    limit: int
    spells: pl.DataFrame
    cases: pl.DataFrame
    _passed: dict[int, pl.Series] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def read(cls, histories: Histories, until: date | None = None) -> Leavings:
        """Read the spells and cases of histories.

        Parameters
        ----------
        until : date, optional
            Ignore everything recorded on or after this day.
        """
        limit = day_number(histories.last_known()) + 1
        limit = min(limit, day_number(until)) if until else limit
        rows = histories.frame("enrolments").filter(nw.col("known") < limit)
        rows = rows.unique(
            subset=["pupil_id", "urn", "entry_date"], keep="last", order_by=["known", "end_known", "destination"]
        )
        spells = collect(rows.select("pupil_id", "entry_date", *ENDS))
        ended = pl.col("end_known") < limit
        spells = spells.with_columns(pl.when(ended).then(c).alias(c) for c in ENDS).sort("pupil_id", "entry_date")
        spells = spells.with_columns(pl.col("entry_date").shift(-1).over("pupil_id").alias("next_entry"))
        cases = histories.frame("cme").filter(nw.col("known") < limit).select("pupil_id", "missing_from", "known")
        return cls(limit=limit, spells=spells, cases=collect(cases))

    def after_school_days(self, number: int) -> pl.Series:
        """Return the day number on which ``number`` school days have passed since each leaving; null without one. Computed once."""
        if number not in self._passed:
            self._passed[number] = _after_school_days(self.spells["leaving_date"], number)
        return self._passed[number]


def recorded_until(histories: Histories, *, cases: bool = False) -> dict[str, date]:
    """Return the newest day up to today on which each authority's rolls were recorded: nobody is known to have stayed beyond it.

    Marks and suspensions go on where the record of the rolls has stopped; they do not say who left.

    Parameters
    ----------
    cases : bool
        Whether leavings are known by cases of missing education too, so that these must reach as far, if the histories hold any.

    Returns
    -------
    dict
        By authority, that of the school before that of the home; under ``ALL`` of all together, 1970-01-01 if nothing is recorded.
    """
    until = _newest_by_authority(histories, "enrolments")
    if cases and "cme" in histories.present:
        of_cases = _newest_by_authority(histories, "cme")
        until = {authority: min(day, of_cases.get(authority, of_cases[ALL])) for authority, day in until.items()}
    return until


def _newest_by_authority(histories: Histories, table: str) -> dict[str, date]:
    declared, known = TABLES[table], nw.col("known")
    if declared.plannable and {"attendance", "termly_attendance"} & histories.present:
        # Without a day of its record, a place from next September proves nothing about the time before.
        known = nw.when(~nw.col(declared.known_from[0]).is_null()).then("known")
    at = ["pupil_id", "urn"] if table == "enrolments" else ["pupil_id"]
    rows = histories.frame(table)
    days = [rows.select(*at, known.alias("day")), rows.select(*at, nw.col("end_known").alias("day"))]
    today = day_number(london_today())
    newest = collect(nw.concat(days).filter(nw.col("day") <= today).group_by(at).agg(nw.col("day").max()))
    homes = collect(histories.frame("pupils").select("pupil_id", nw.col("authority").alias("home"))).unique("pupil_id")
    newest = newest.join(homes, on="pupil_id")
    authority = pl.coalesce("home", pl.lit(""))
    if "urn" in at:
        schools = collect(histories.frame("schools").select("urn", nw.col("authority").alias("school"))).unique("urn")
        newest, authority = newest.join(schools, on="urn", how="left"), pl.coalesce("school", "home", pl.lit(""))
    found = newest.group_by(authority.alias("authority")).agg(pl.max("day")).rows()
    return {**{a: day_of(day) for a, day in found}, ALL: max((day_of(day) for _, day in found), default=EPOCH)}


def _after_school_days(leaving: pl.Series, number: int) -> pl.Series:
    """Return the day on which ``number`` school days have passed since each leaving."""
    if leaving.drop_nulls().is_empty():
        return pl.Series(leaving.name, [None] * len(leaving), pl.Int32)
    low, high = day_of(leaving.min()), day_of(leaving.max())  # type: ignore[arg-type]
    enough = high + timedelta(
        days=2 * number + 120
    )  # more than half of all days are no school days, and summers are long
    open_days = [day_number(d) for d in school_days(low, enough)]
    return pl.Series(
        "twenty",
        [None if x is None else open_days[bisect.bisect_right(open_days, x) + number - 1] for x in leaving],
        pl.Int32,
    )
