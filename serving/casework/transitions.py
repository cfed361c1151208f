"""The move from primary to secondary school: missing applications and responses, and no-shows in September."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.attendance.register import MEASURES
from histories.calendar import day_number
from histories.reading.as_of import valid_marks, visible
from histories.reading.frames import collect
from histories.reading.histories import Histories

STATES = (
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
    children = spells.filter(pl.col("nc_year") == (7 if autumn else 6))
    if children.is_empty():
        return []
    day = day_number(as_of)
    keys = pa.table({"pupil_id": children["pupil_id"].to_arrow(), "as_of": pa.array([day] * len(children), pa.int32())})
    rows = collect(visible(histories, "admissions", histories.given(keys)))
    applications = {
        r["pupil_id"]: r for r in rows.iter_rows(named=True) if r["entry_year"] == year and r["phase"] == "secondary"
    }
    sessions = _sessions_since_september(histories, children, as_of, year) if autumn else {}
    primaries = _before(histories, keys, date(year, 8, 1)) if autumn else {}
    transitions = []
    for r in children.iter_rows(named=True):
        row = applications.get(r["pupil_id"])
        if autumn:
            if row is not None:
                transitions.append(_arrived(r, row, year, sessions, primaries.get(r["pupil_id"], "")))
        elif r["on_roll"]:
            state = _state(row)
            transitions.append(
                Transition(
                    pupil_id=r["pupil_id"],
                    entry_year=year,
                    from_urn=r["urn"],
                    to_urn=row["offered_urn"] if row else None,
                    state=state,
                )
            )
    return transitions


def _state(row: dict[str, object] | None) -> str:
    if row is None or row["applied_on"] is None:
        return "no_application"
    if row["offered_on"] is None:
        return "applied"
    return str(row["response"] or "offered")


def _before(histories: Histories, keys: pa.Table, moved: date) -> dict[str, str]:
    """Return each child's last school before a day."""
    spells = visible(histories, "enrolments", histories.given(keys)).filter(nw.col("entry_date") < day_number(moved))
    last = spells.unique(subset=["pupil_id"], keep="last", order_by=["entry_date", "urn"])
    return dict(collect(last.select("pupil_id", "urn")).iter_rows())


def _arrived(
    spell: dict[str, object], row: dict[str, object], year: int, sessions: dict[str, tuple[int, int]], primary: str
) -> Transition:
    pupil, to = str(spell["pupil_id"]), row["offered_urn"]
    started = spell["on_roll"] and int(spell["entry_date"]) >= day_number(date(year, 8, 1))  # type: ignore[call-overload]
    present, missed = sessions.get(pupil, (0, 0))
    if not started:
        state = "not_on_roll"
    elif present:
        state = "arrived"
    else:
        state = "no_show" if missed else "on_roll"
    offered = str(to) if to else None
    to_urn = str(spell["urn"]) if started else offered
    return Transition(pupil_id=pupil, entry_year=year, from_urn=primary, to_urn=to_urn, state=state, missed_days=missed)


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
