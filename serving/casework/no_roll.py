"""Children of school age on no roll: who left with nowhere known to go, who has a place but is on no roll, and who is on none at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.outcome.cohort import august_before, school_age, with_school_age
from histories.calendar import day_number, day_of
from histories.linking.roll_status import roll_status
from histories.reading.as_of import visible
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.reading.once import once
from serving.casework.rolls import followed

KINDS = ("left", "expected", "none")
NOWHERE = (None, "unknown", "missing_education")  # destinations that say where nobody has found the child
ROLL_EXPECTED = (*NOWHERE, "state_school")  # after other destinations the child is educated elsewhere
ROLLS_BEGIN = (8, 1)  # month and day from which a roll that is entered is that of the coming September
SUMMER = (7, 1)  # month and day from which a leaver leaves at the end of the school year


@dataclass(frozen=True, kw_only=True)
class OffRoll:
    """A child on no roll as of a day.

    Attributes
    ----------
    kind : {"left", "expected", "none"}
        Left a roll within a year with nowhere known to go; has a place or is said to move to a school, and is on no roll; on no roll
        for longer than a year, or never on one.
    since : date or None
        The last day on a roll; None if there never was one.
    urn : str
        The last school within a year; empty if there is none.
    to_urn : str or None
        The school of the place, if it is known.
    authority : str
        Where the child lives, as far as that is known; else that of the last school.
    left_from : str or None
        The authority of the last school, if it is another.
    """

    pupil_id: str
    kind: str
    since: date | None
    urn: str
    to_urn: str | None
    authority: str
    nc_year: int
    left_from: str | None = None


def find_off_roll(histories: Histories, spells: pl.DataFrame, as_of: date) -> list[OffRoll]:
    """Return the children of compulsory school age who are on no roll as of a day, and whom nobody is known to educate.

    Parameters
    ----------
    histories : Histories
    spells : polars.DataFrame
        See ``rolls.newest_spells``.
    as_of : date

    Notes
    -----
    Compulsory school age as in ``histories.calendar.compulsory_school_age``. Children said to be educated elsewhere (at home, abroad, at an independent school), in custody, or over school age
    are not listed, unless a place was offered to them since they left.
    """
    last = {r["pupil_id"]: r for r in spells.filter(~pl.col("on_roll")).iter_rows(named=True)}
    within_a_year = set(followed(spells, as_of)["pupil_id"])
    off = [r for r in _of_school_age(histories, as_of) if not r["on_roll"]]
    offers = _offers(histories, off, as_of)
    return list(_sorted_out(off, last, within_a_year, offers))


def _sorted_out(
    off: list[dict[str, Any]],
    last: dict[str, dict[str, Any]],
    within_a_year: set[str],
    offers: dict[str, str | None],
) -> Iterator[OffRoll]:
    for r in off:
        if r["destination"] == "deceased":
            continue  # whatever was planned: nobody may ring a family about a child who has died
        pupil, place = r["pupil_id"], last.get(r["pupil_id"], {})
        spell = place if pupil in within_a_year else {}
        moves = spell.get("destination") == "state_school"
        if pupil in offers or moves or r["starts_on"] is not None:
            kind = "expected"
        elif r["destination"] in ROLL_EXPECTED:  # a move to a school a year ago that never came is none
            kind = "left" if spell else "none"
        else:
            continue
        yield OffRoll(
            pupil_id=pupil,
            kind=kind,
            since=r["off_since"],
            urn=spell.get("urn", ""),
            to_urn=offers.get(pupil) or (spell["destination_urn"] if moves else None),
            authority=place.get("authority") or r["authority"] or "",
            nc_year=r["nc_year"],
            left_from=place.get("left_from"),
        )


def _of_school_age(histories: Histories, as_of: date) -> list[dict[str, Any]]:
    """Return the known children of compulsory school age with their status on rolls."""
    pupils = once(histories, "pupils")
    known = pupils.filter(nw.col("date_of_birth") < day_number(as_of)).select("pupil_id", "date_of_birth", "authority")
    children = nw.from_native(collect(known).with_columns(pl.lit(day_number(as_of), pl.Int32).alias("as_of")))
    years = children.with_columns((school_age("date_of_birth", "as_of") - 4).alias("nc_year")).to_native()
    of_age = pl.lit(day_number(as_of)).is_between("age_begins", "age_ends")
    aged = with_school_age(years).filter(of_age).join(roll_status(histories, as_of), on="pupil_id", how="left")
    return aged.with_columns(pl.col("on_roll").fill_null(False)).sort("pupil_id").to_dicts()


def _offers(histories: Histories, off: list[dict[str, Any]], as_of: date) -> dict[str, str | None]:
    """Return the school offered to each child for the September of this school year, while the offer stands.

    For a child who left in the summer term's last weeks or after, an offer for the coming September counts too. An offer no longer stands
    once it was declined, a roll was entered since the August before, or the child left for somewhere else since it was made.
    """
    if "admissions" not in histories.present or not off:
        return {}
    children = {r["pupil_id"]: r for r in off}
    september = day_of(august_before(as_of)).year
    summer = date(september + 1, *SUMMER)
    day = day_number(as_of)
    keys = pa.table({"pupil_id": pa.array(children), "as_of": pa.array([day] * len(children), pa.int32())})
    rows = collect(visible(histories, "admissions", histories.given(keys))).sort("entry_year")
    entered = _entered(histories, keys)
    offers = {}
    for r in rows.iter_rows(named=True):
        child = children[r["pupil_id"]]
        in_summer = (child["off_since"] or as_of) >= summer
        years = (september, september + 1) if in_summer else (september,)
        is_taken_up = entered.get(r["pupil_id"], date.min) >= date(r["entry_year"], *ROLLS_BEGIN)
        if r["entry_year"] in years and _stands(r, child) and not is_taken_up:
            offers[r["pupil_id"]] = r["offered_urn"]
    return offers


def _stands(offer: Mapping[str, Any], child: Mapping[str, Any]) -> bool:
    if offer["offered_on"] is None or offer["response"] == "declined":
        return False
    # Who left for home education, abroad and the like after the offer does not come.
    return child["destination"] in ROLL_EXPECTED or day_of(offer["offered_on"]) > child["off_since"]


def _entered(histories: Histories, keys: pa.Table) -> dict[str, date]:
    """Return the day on which each child last entered a roll."""
    spells = visible(histories, "enrolments", histories.given(keys)).filter(nw.col("age") >= 0)
    newest = collect(spells.group_by("pupil_id").agg(nw.col("entry_date").max()))
    return {pupil: day_of(entered) for pupil, entered in newest.iter_rows()}
