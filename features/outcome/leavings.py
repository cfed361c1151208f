"""Each pupil's spells and cases as finally known before a day, whatever the definition of missing."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from datetime import date, timedelta

import narwhals as nw
import polars as pl

from features.outcome.known_until import KnownUntil, spells_known
from histories.calendar import day_number, day_of, school_days
from histories.reading.frames import collect
from histories.reading.histories import Histories

ENDS = ("leaving_date", "destination", "leaving_ground", "end_known")


@dataclass(frozen=True, kw_only=True)
class Leavings:
    """What labels are made from; read once, it serves any number of definitions and windows.

    Attributes
    ----------
    limit : int
        Day number; nothing recorded on or after it is used.
    spells : polars.DataFrame
        ``pupil_id, urn, entry_date, leaving_date, destination, leaving_ground, end_known, next_entry``, sorted by pupil and entry.
    cases : polars.DataFrame
        ``pupil_id, missing_from, known`` of every case of missing education.
    known_until : KnownUntil
        Until when it is known who left, of each authority and school.
    """

    limit: int
    spells: pl.DataFrame
    cases: pl.DataFrame
    known_until: KnownUntil
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
        spells = collect(spells_known(histories, limit).select("pupil_id", "urn", "entry_date", *ENDS))
        ended = pl.col("end_known") < limit
        spells = spells.with_columns(pl.when(ended).then(c).alias(c) for c in ENDS).sort("pupil_id", "entry_date")
        spells = spells.with_columns(pl.col("entry_date").shift(-1).over("pupil_id").alias("next_entry"))
        cases = histories.frame("cme").filter(nw.col("known") < limit).select("pupil_id", "missing_from", "known")
        known_until = KnownUntil.read(histories, until)
        return cls(limit=limit, spells=spells, cases=collect(cases), known_until=known_until)

    def after_school_days(self, number: int) -> pl.Series:
        """Return the day number on which ``number`` school days have passed since each leaving; null without one. Computed once."""
        if number not in self._passed:
            self._passed[number] = _after_school_days(self.spells["leaving_date"], number)
        return self._passed[number]


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
