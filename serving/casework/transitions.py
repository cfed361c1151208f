"""The move from primary to secondary school: missing applications and responses, and no-shows in September."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.attendance.register import MEASURES
from histories.calendar import day_number
from histories.reading.as_of import valid_marks, visible
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.reading.once import once
from histories.reading.rolls import one_roll
from serving.casework.no_roll import ROLL_EXPECTED

NOT_LOADED = (
    "not_loaded"  # nobody of the child's authority has an application for the year yet: who made none is not known
)
STATES = (
    NOT_LOADED,
    "no_application",
    "applied",
    "offered",
    "declined",
    "accepted",
    "not_on_roll",
    "no_show",
    "on_roll",
    "arrived",
)
PRESENT = tuple(set(MEASURES["possible"]) - set(MEASURES["absent"]))
AUTUMN = (9, 10)  # months in which arrivals are checked
OLDEST_OF_YEAR_7 = 12
OF_ALL_AGES = ("all-through", "secondary")  # phases that teach Year 7, for schools whose ages are not stated


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One child's move."""

    pupil_id: str
    entry_year: int
    from_urn: str
    to_urn: str | None
    state: str
    missed_days: int = 0


def find_transitions(histories: Histories, spells: pl.DataFrame, as_of: date) -> list[Transition]:
    """Return the moves of the coming September, or in autumn of the past September.

    The year group is that of the roll: a child who is taught a year behind moves a year later. Who is at a school that teaches Year 7 and
    has asked for no other stays there, and does not move. In autumn, children who have left for somewhere that is no roll here are left
    out: no school waits for them.

    Parameters
    ----------
    histories : Histories
    spells : polars.DataFrame
        See ``rolls.last_spells``.
    as_of : date
    """
    if "admissions" not in histories.present:
        return []
    autumn = as_of.month in AUTUMN
    year = as_of.year + (as_of.month > AUTUMN[-1])
    children = spells.filter(pl.col("roll_year") == (7 if autumn else 6))
    if children.is_empty():
        return []
    day = day_number(as_of)
    keys = pa.table({"pupil_id": children["pupil_id"].to_arrow(), "as_of": pa.array([day] * len(children), pa.int32())})
    rows = collect(visible(histories, "admissions", histories.given(keys)))
    applications = {
        r["pupil_id"]: r for r in rows.iter_rows(named=True) if r["entry_year"] == year and r["phase"] == "secondary"
    }
    stay = _teaching_year_7(histories)
    if autumn:
        return list(_of_autumn(histories, children, keys, applications, stay=stay, as_of=as_of, year=year))
    transitions = []
    loaded = set(children.filter(pl.col("pupil_id").is_in(list(applications)))["authority"])
    for r in children.filter("on_roll").iter_rows(named=True):
        row = applications.get(r["pupil_id"])
        if row is None and r["urn"] in stay:
            continue
        to_urn = row["offered_urn"] if row else None
        state = _state(row, is_loaded=r["authority"] in loaded)
        transitions.append(
            Transition(pupil_id=r["pupil_id"], entry_year=year, from_urn=r["urn"], to_urn=to_urn, state=state)
        )
    return transitions


def _teaching_year_7(histories: Histories) -> set[str]:
    """Return the schools at which a child of Year 6 may stay."""
    if "schools" not in histories.present:
        return set()
    schools = collect(once(histories, "schools"))
    by_phase = pl.col("phase").is_in(OF_ALL_AGES)
    return set(schools.filter(pl.coalesce(pl.col("high_age") >= OLDEST_OF_YEAR_7, by_phase))["urn"])


def _state(row: Mapping[str, Any] | None, *, is_loaded: bool) -> str:
    if row is None or row["applied_on"] is None:
        return "no_application" if is_loaded else NOT_LOADED
    if row["offered_on"] is None:
        return "applied"
    return str(row["response"] or "offered")


def _before(histories: Histories, keys: pa.Table, moved: date) -> dict[str, str]:
    """Return each child's last school before a day."""
    spells = visible(histories, "enrolments", histories.given(keys)).filter(nw.col("entry_date") < day_number(moved))
    return dict(collect(one_roll(spells).select("pupil_id", "urn")).iter_rows())


def _begun(histories: Histories, keys: pa.Table, moved: date) -> set[str]:
    """Return the children who entered a roll, of whatever registration, since a day."""
    spells = visible(histories, "enrolments", histories.given(keys)).filter(
        (nw.col("entry_date") >= day_number(moved)) & (nw.col("age") >= 0)
    )
    return set(collect(spells.select("pupil_id").unique())["pupil_id"])


def _of_autumn(
    histories: Histories,
    children: pl.DataFrame,
    keys: pa.Table,
    applications: Mapping[str, Mapping[str, Any]],
    *,
    stay: set[str],
    as_of: date,
    year: int,
) -> Iterator[Transition]:
    moved = date(year, 8, 1)
    sessions = _sessions_since_september(histories, children, as_of, year)
    primaries, begun = _before(histories, keys, moved), _begun(histories, keys, moved)
    for spell in children.iter_rows(named=True):
        pupil, row = spell["pupil_id"], applications.get(spell["pupil_id"])
        if not (spell["on_roll"] or spell["destination"] in ROLL_EXPECTED):
            continue
        # Who came from no school here without an application did not move up here, nor did who stays at a school of all ages.
        primary = primaries.get(pupil, "")
        if row is None and (not primary or (primary in stay and pupil not in begun)):
            continue
        offered = row["offered_urn"] if row else None
        # Who stays at a school of all ages enters no other roll.
        has_begun = pupil in begun or (spell["on_roll"] and spell["urn"] == offered)
        present, missed = sessions.get(pupil, (0, 0))
        yield Transition(
            pupil_id=pupil,
            entry_year=year,
            from_urn=primary,
            to_urn=str(spell["urn"]) if has_begun else (offered or None),
            state=_arrived(present, missed, has_begun=has_begun, on_roll=spell["on_roll"]),
            missed_days=missed,
        )


def _arrived(present: int, missed: int, *, has_begun: bool, on_roll: bool) -> str:
    if has_begun and present:
        return "arrived"
    if has_begun and missed:
        return "no_show"
    return "on_roll" if has_begun and on_roll else "not_on_roll"


def _sessions_since_september(
    histories: Histories, children: pl.DataFrame, as_of: date, year: int
) -> dict[str, tuple[int, int]]:
    """Return each child's sessions present since September, and their days missed completely."""
    if "attendance" not in histories.present:
        return {}
    first, day = day_number(date(year, 9, 1)), day_number(as_of)
    keys = histories.given(children.select("pupil_id").to_arrow())
    marks = histories.frame("attendance").filter(
        (nw.col("date") >= first) & (nw.col("date") < day) & (nw.col("known") < day)
    )
    marks = valid_marks(marks.join(keys, on="pupil_id", how="semi"))
    marks = marks.filter(nw.col("code").is_in(list(MEASURES["possible"])))
    present = nw.col("code").is_in(list(PRESENT)).cast(nw.Int64)
    days = marks.group_by("pupil_id", "date").agg(present.sum().alias("there"))
    missed = (nw.col("there") == 0).cast(nw.Int64)
    rows = collect(days.group_by("pupil_id").agg(nw.col("there").sum(), missed.sum().alias("missed")))
    return {r["pupil_id"]: (int(r["there"]), int(r["missed"])) for r in rows.iter_rows(named=True)}
