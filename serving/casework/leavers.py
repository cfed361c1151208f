"""Children who have left every roll: since when, and where they went as last known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from histories.linking.roll_status import roll_status
from histories.reading.histories import Histories

SCHOOL_YEARS = range(12)  # Reception to Year 11
NO_LONGER_TAUGHT = ("deceased", "over_age")  # destinations of children whom no school or parent needs to teach


@dataclass(frozen=True, kw_only=True)
class Leaver:
    """A child who was on a roll once, and is on none as of a day.

    Attributes
    ----------
    urn, authority : str
        Of the last school.
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


def find_leavers(histories: Histories, newest: pl.DataFrame, as_of: date) -> list[Leaver]:
    """Return every child who is on no roll as of a day and once was on one, as known then.

    Parameters
    ----------
    histories : Histories
    newest : polars.DataFrame
        See ``rolls.newest_spells``.
    as_of : date

    Notes
    -----
    The last end counts, not the end of the spell that began last: a child may have been on two rolls at once.
    """
    status = roll_status(histories, as_of).filter(~pl.col("on_roll"), pl.col("off_since").is_not_null())
    place = newest.filter(~pl.col("on_roll")).select("pupil_id", "authority", "urn", "nc_year")
    left = place.join(status.select("pupil_id", "off_since", "destination"), on="pupil_id").sort("pupil_id")
    return [
        Leaver(
            pupil_id=r["pupil_id"],
            authority=r["authority"],
            urn=r["urn"],
            nc_year=r["nc_year"],
            left_on=r["off_since"],
            left_to=r["destination"] or "unknown",
        )
        for r in left.iter_rows(named=True)
    ]


def of_school_age(leavers: Sequence[Leaver]) -> set[str]:
    """Return those who are still to be taught somewhere, however long ago they left."""
    return {c.pupil_id for c in leavers if c.nc_year in SCHOOL_YEARS and c.left_to not in NO_LONGER_TAUGHT}
