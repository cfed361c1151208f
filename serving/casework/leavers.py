"""Children who have left every roll: since when, and where they went as last known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from histories.calendar import day_of

SCHOOL_YEARS = range(12)  # Reception to Year 11
NO_LONGER_TAUGHT = ("deceased", "over_age")  # destinations of children whom no school or parent needs to teach


@dataclass(frozen=True, kw_only=True)
class Leaver:
    """A child who was on a roll once, and is on none as of a day.

    Attributes
    ----------
    urn : str
        The last school.
    authority : str
        Where the child lives, as far as that is known; else that of the last school.
    left_from : str or None
        The authority of the last school, if it is another.
    nc_year : int
        By age.
    left_on : date
        The last day on any roll.
    left_to : str
        The destination recorded at that end; ``unknown`` if none was.
    """

    pupil_id: str
    authority: str
    urn: str
    nc_year: int
    left_on: date
    left_to: str
    left_from: str | None = None


def find_leavers(newest: pl.DataFrame) -> list[Leaver]:
    """Return every child who is on no roll and once was on one.

    Parameters
    ----------
    newest : polars.DataFrame
        See ``rolls.newest_spells``.
    """
    left = newest.filter(~pl.col("on_roll")).sort("pupil_id")
    return [
        Leaver(
            pupil_id=r["pupil_id"],
            authority=r["authority"],
            urn=r["urn"],
            nc_year=r["nc_year"],
            left_on=day_of(r["leaving_date"]),
            left_to=r["destination"] or "unknown",
            left_from=r["left_from"],
        )
        for r in left.iter_rows(named=True)
    ]


def of_school_age(leavers: Sequence[Leaver]) -> set[str]:
    """Return those who are still to be taught somewhere, however long ago they left."""
    return {c.pupil_id for c in leavers if c.nc_year in SCHOOL_YEARS and c.left_to not in NO_LONGER_TAUGHT}
