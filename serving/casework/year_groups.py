"""Which year groups a school teaches, and which of its leavers only move up: no school has to tell of every child of a whole year group."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from histories.calendar import day_of
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.reading.once import once
from serving.casework.duty import Known, school_year

SUMMER = (7, 8)  # months in which children leave at the end of a school year
AGE_IN_RECEPTION = 4  # on the 31 August before the school year
INFANT = 5  # lowest age of schools that begin with Reception, as many of them state it
# By phase, for schools whose ages are not stated.
YOUNGEST = {"primary": 0, "secondary": 7, "all-through": 0}
OLDEST = {"primary": 6, "secondary": 11, "all-through": 11}
RETURNS = ("new_pupil_return", "deletion_return")  # of which a rule may leave out the standard transition


def returns_at_transition(known: Known, leavers: pl.DataFrame) -> dict[str, set[str]]:
    """Return the kinds of returns that are of the standard transition, by pupil.

    A child who leaves in summer and whose next school teaches nobody younger begins there with its whole year group; one who leaves the
    oldest year of a school leaves with it. The year group is that of the roll.

    Parameters
    ----------
    known : Known
    leavers : polars.DataFrame
        See ``rolls.newest_spells``.
    """
    youngest, oldest = _years_taught(known.histories)
    returns: dict[str, set[str]] = {}
    for r in leavers.iter_rows(named=True):
        gone = day_of(r["leaving_date"])
        if gone.month not in SUMMER:
            continue
        begins = r["roll_year"] + gone.year - school_year(known.as_of)  # year group of the September after
        firsts, lasts = begins == youngest.get(r["destination_urn"]), begins - 1 == oldest.get(r["urn"])
        returns[r["pupil_id"]] = {kind for kind, applies in zip(RETURNS, (firsts, lasts), strict=True) if applies}
    return returns


def _years_taught(histories: Histories) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Return the youngest and the oldest year group of each school of which they are known."""
    schools = collect(once(histories, "schools"))
    # Children in nursery are in no year group. Whoever turns 16 in the oldest year was 15 on the 31 August before it.
    is_known, age = pl.col("low_age").is_not_null(), pl.col("low_age") - AGE_IN_RECEPTION
    begins = pl.when(pl.col("low_age") > INFANT).then(age).when(is_known).then(0)
    by_age = begins, pl.col("high_age") - AGE_IN_RECEPTION - 1
    by_phase = (pl.col("phase").replace_strict(of, default=None, return_dtype=pl.Int64) for of in (YOUNGEST, OLDEST))
    years = [pl.coalesce(age, phase) for age, phase in zip(by_age, by_phase, strict=True)]
    taught = schools.select("urn", youngest=years[0], oldest=years[1])
    return (
        dict(taught.select("urn", "youngest").drop_nulls().iter_rows()),
        dict(taught.select("urn", "oldest").drop_nulls().iter_rows()),
    )
