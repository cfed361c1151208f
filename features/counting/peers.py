"""Sums over the other snapshots of the day: children at the same school, in the same area and at the same address.

Sums of blocks of children add up to those of the whole cohort.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import narwhals as nw

from features.outcome.cohort import august_before
from histories.calendar import day_of
from histories.reading.frames import Frame, gathered, joined
from histories.reading.histories import Histories
from histories.reading.once import once

SUMMED = (
    "absent_90",
    "unauthorised_90",
    "possible_90",
    "possible_14",
    "suspensions_365",
    "in_year_entries_365",
    "care_cin",
    "home_starts_730",
    "possible_28",
    "possible_7",
    "possible_10",
    "marked",
)
IN_AREA = ("absent_90", "possible_90", "home_starts_730", "pupils")
KIND = ("unauthorised_90", "possible_90", "pupils")
AT_HOME = {"pupils": "siblings", "absent_90": "siblings_absent", "possible_90": "siblings_possible"}
# The columns of a snapshot that are needed for the sums.
NEEDED = ("urn", "authority", "household_id", "lsoa", *SUMMED)


@dataclass(frozen=True)
class Sums:
    """Sums over the snapshots of one day.

    Attributes
    ----------
    schools : Frame
        By ``urn`` and ``authority``: ``pupils`` and the columns ``SUMMED``.
    homes : Frame
        By ``household_id``: ``pupils``, ``absent_90`` and ``possible_90``.
    areas : Frame
        By ``lsoa``: the columns ``IN_AREA``.
    lost : Frame
        By ``urn`` and ``lsoa``: ``lost_730``.
    """

    schools: Frame
    homes: Frame
    areas: Frame
    lost: Frame

    @classmethod
    def of(cls, frame: Frame, lost: Frame) -> Sums:
        """Sum the snapshots of one day, and those who left each school and area with no known destination."""
        frame = frame.with_columns(nw.lit(1, nw.Int64).alias("pupils"))
        homes, areas = (frame.filter(~nw.col(c).is_null()) for c in ("household_id", "lsoa"))
        return cls(
            _added(frame, ["urn", "authority"], (*SUMMED, "pupils")),
            _added(homes, ["household_id"], AT_HOME),
            _added(areas, ["lsoa"], IN_AREA),
            lost,
        )

    @classmethod
    def together(cls, sums: Iterable[Sums]) -> Sums:
        """Add up the sums of blocks of children."""
        first, *others = sums
        if not others:
            return first
        schools, homes, areas, lost = zip(
            *((s.schools, s.homes, s.areas, s.lost) for s in (first, *others)), strict=True
        )
        return cls(
            _added(nw.concat(schools), ["urn", "authority"], (*SUMMED, "pupils")),
            _added(nw.concat(homes), ["household_id"], AT_HOME),
            _added(nw.concat(areas), ["lsoa"], IN_AREA),
            _added(nw.concat(lost), ["urn", "lsoa"], ("lost_730",)),
        )


def _added(frame: Frame, by: list[str], columns: Iterable[str]) -> Frame:
    return frame.group_by(*by).agg(*_total(tuple(columns)))


@cache
def _total(columns: tuple[str, ...]) -> tuple[nw.Expr, ...]:
    return tuple(nw.col(c).fill_null(0).sum() for c in columns)


def add_context(histories: Histories, frame: Frame, day: int, sums: Sums) -> Frame:
    """Add sums over the other children at the school, in the area and at the same address, and over the authority.

    Parameters
    ----------
    frame : Frame
        One row per snapshot of one day, with tallies.
    day : int
        The as-of date.
    sums : Sums
        The sums of the whole cohort on the day.
    """
    august = august_before(day_of(day))
    kinds = nw.col("phase").is_in(["special", "ap"]).cast(nw.Int64).alias("special_or_ap")
    frame = frame.with_columns(
        nw.lit(_term(day), nw.Int64).alias("term_number"),
        nw.lit(day - august - 1, nw.Int64).alias("days_into_year"),
        (nw.lit(august, nw.Int64) - nw.col("date_of_birth") - 365 * (nw.col("nc_year") + 4)).alias("age_in_year"),
        nw.lit(1, nw.Int64).alias("pupils"),
    )
    phases = gathered(once(histories, "schools")).select("urn", "phase", kinds)
    frame = joined(frame, phases, "urn")
    for beside, on in _beside(sums):
        frame = joined(frame, beside, on)
    frame = joined(frame, _of_kind(sums, phases.select("urn", "phase")), ["authority", "phase"]).drop("phase")
    sizes = {"school_others": "school_pupils", "area_others": "area_pupils"}
    frame = frame.with_columns(*_of_others()).with_columns(*(nw.col(c).alias(name) for name, c in sizes.items()))
    if "addresses" not in histories.present:
        return frame.with_columns(*(nw.lit(None, nw.Int64).alias(name) for name in AT_HOME.values()))
    homes = sums.homes.filter(nw.col("pupils") > 1).rename(AT_HOME)
    frame = joined(frame, homes, "household_id")
    return frame.with_columns(*_of_siblings())


def _mine(column: str) -> nw.Expr:
    return nw.col(column).fill_null(0)


@cache
def _of_others() -> tuple[nw.Expr, ...]:
    """Return the sums of the school and the area without the child, and the leavers of each, zero where there is none."""
    return (
        *((nw.col(f"school_{c}") - _mine(c)).alias(f"school_{c}") for c in (*SUMMED, "pupils")),
        *((nw.col(f"area_{c}") - _mine(c)).alias(f"area_{c}") for c in IN_AREA),
        *(nw.col(f"{group}_lost_730").fill_null(0) for group in ("school", "area", "la", "kind")),
    )


@cache
def _of_siblings() -> tuple[nw.Expr, ...]:
    zero = nw.lit(0, nw.Int64)
    return tuple(nw.coalesce(nw.col(n) - _mine(c), zero).alias(n) for c, n in AT_HOME.items())


def _beside(sums: Sums) -> list[tuple[Frame, str]]:
    """Return the sums of schools, authorities and areas under prefixed names, each with its join key."""
    # A school of an unknown authority counts for every authority that has children there.
    lost = sums.schools.select("urn", "authority").join(sums.lost, on="urn")
    everything = (*SUMMED, "pupils")
    sums_of = [
        ("school", "urn", _added(sums.schools, ["urn"], everything)),
        ("school", "urn", _added(sums.lost, ["urn"], ("lost_730",))),
        ("la", "authority", _added(sums.schools, ["authority"], everything)),
        ("la", "authority", _added(lost, ["authority"], ("lost_730",))),
        ("area", "lsoa", sums.areas),
        ("area", "lsoa", _added(sums.lost.filter(~nw.col("lsoa").is_null()), ["lsoa"], ("lost_730",))),
    ]
    return [(t.rename({c: f"{group}_{c}" for c in t.columns if c != on}), on) for group, on, t in sums_of]


def _of_kind(sums: Sums, phases: Frame) -> Frame:
    """Return the sums ``KIND`` of each authority's schools of one phase; a school without a phase is of no kind."""
    schools = sums.schools.join(phases.filter(~nw.col("phase").is_null()), on="urn")
    lost = schools.select("urn", "authority", "phase").join(sums.lost.select("urn", "lost_730"), on="urn")
    by = ["authority", "phase"]
    frame = joined(_added(schools, by, KIND), _added(lost, by, ("lost_730",)), by)
    return frame.rename({c: f"kind_{c}" for c in (*KIND, "lost_730")})


def _term(day: int) -> int:
    """Return 1 for the autumn term, 2 for the spring term and 3 for the summer term."""
    month = day_of(day).month
    if month >= 9:
        return 1
    return 2 if month < 4 else 3
