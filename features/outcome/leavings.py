"""Each pupil's spells and cases as finally known before a day, whatever the definition of missing."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from datetime import date, timedelta

import narwhals as nw
import polars as pl

from features.outcome.known_until import KnownUntil, spells_known
from histories.calendar import day_number, day_of, school_days
from histories.codes import code_set
from histories.reading.frames import collect
from histories.reading.histories import Histories

OWN = ("is_main", "entry_date", "urn")  # of several rolls the last in this order is the child's own; see ``one_roll``
ENDS = ("leaving_date", "destination", "leaving_ground", "end_known")


@dataclass(frozen=True, kw_only=True)
class Leavings:
    """What labels are made from; read once, it serves any number of definitions and windows.

    Attributes
    ----------
    limit : int
        Day number; nothing recorded on or after it is used.
    spells : polars.DataFrame
        ``pupil_id, urn, entry_date, leaving_date, destination, leaving_ground, end_known, is_main``, sorted by pupil and entry, and of each that has ended
        ``on_other_roll`` and ``beside_own_roll`` (whether another roll went on, and one that comes before it as the child's own) and ``back_on``, the day of
        the next entry.
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
        spells = collect(spells_known(histories, limit).select("pupil_id", "urn", "entry_date", "status", *ENDS))
        cases = histories.frame("cme").filter(nw.col("known") < limit).select("pupil_id", "missing_from", "known")
        known_until = KnownUntil.read(histories, until)
        return cls(limit=limit, spells=_with_other_rolls(spells), cases=collect(cases), known_until=known_until)

    def after_school_days(self, number: int) -> pl.Series:
        """Return the day number on which ``number`` school days have passed since each leaving; null without one. Computed once."""
        if number not in self._passed:
            self._passed[number] = _after_school_days(self.spells["leaving_date"], number)
        return self._passed[number]


def told(destination: pl.Expr) -> pl.Expr:
    """Return whether a destination says where a child went; a code that does not exist says nothing."""
    return destination.is_in([code for code in code_set("destination") if code != "unknown"]).fill_null(False)


def _with_other_rolls(spells: pl.DataFrame) -> pl.DataFrame:
    """Add to each ended spell what other rolls the child was on, and when it was on one again; see ``Leavings``."""
    is_main = (pl.col("status") != "S").fill_null(True).alias("is_main")
    spells = spells.with_columns(is_main).drop("status").sort("pupil_id", "entry_date", "urn").with_row_index("row")
    several = spells.filter(pl.len().over("pupil_id") > 1)
    both = several.drop_nulls("leaving_date").join(several, on="pupil_id", suffix="_other")
    both = both.filter(pl.col("row") != pl.col("row_other"))
    left, until = pl.col("leaving_date"), pl.col("leaving_date_other")
    began = pl.col("entry_date_other") <= left
    on_it = began & (until.is_null() | (until > left))
    # Of two rolls left on one day, what one says of where the child went holds for the other.
    told_by = began & (until == left) & told(pl.col("destination_other"))
    before = pl.lit(False)
    for column in reversed(OWN):
        other = pl.col(f"{column}_other")
        before = (other > pl.col(column)) | ((other == pl.col(column)) & before)
    of_each = both.group_by("row").agg(
        (on_it | told_by).fill_null(False).any().alias("on_other_roll"),
        (on_it & before).fill_null(False).any().alias("beside_own_roll"),
        pl.col("entry_date_other").filter(pl.col("entry_date_other") > left).min().alias("back_on"),
    )
    alone = [pl.col(c).fill_null(value=False) for c in ("on_other_roll", "beside_own_roll")]
    return spells.join(of_each, on="row", how="left", maintain_order="left").with_columns(*alone).drop("row")


def _after_school_days(leaving: pl.Series, number: int) -> pl.Series:
    """Return the day on which ``number`` school days have passed since each leaving."""
    if not number:
        return leaving.alias("enough")
    if leaving.drop_nulls().is_empty():
        return pl.Series("enough", [None] * len(leaving), pl.Int32)
    low, high = day_of(leaving.min()), day_of(leaving.max())  # type: ignore[arg-type]
    enough = high + timedelta(
        days=2 * number + 120
    )  # more than half of all days are no school days, and summers are long
    open_days = [day_number(d) for d in school_days(low, enough)]
    return pl.Series(
        "enough",
        [None if x is None else open_days[bisect.bisect_right(open_days, x) + number - 1] for x in leaving],
        pl.Int32,
    )
