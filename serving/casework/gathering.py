"""Gathers what workers need beside scores, in one pass over the histories for each kind."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl

from histories.calendar import day_number, day_of
from histories.reading.frames import collect
from histories.reading.histories import EVENTS, Histories
from serving.casework.deadlines import Deadline, DeadlineRule, find_deadlines
from serving.casework.history import pupil_histories
from serving.casework.rolls import last_spells
from serving.casework.school_days import SchoolDays
from serving.casework.transitions import Transition, find_transitions
from training.explanation.score import Score

RANKS = 500  # a past is gathered for so many ranks of an authority
GONE_AFTER = 28  # days on no roll after which an unknown destination is told as missing


@dataclass(kw_only=True)
class Gathered:
    """What was found as of a day.

    Attributes
    ----------
    schools : list of dict
        ``urn, name, phase``.
    places : list of dict
        ``pupil_id, authority, urn, nc_year`` of children whom a clock or a move is about.
    pupil_histories : dict
        See ``history.pupil_histories``.
    missing : list of dict
        ``pupil_id, on_day, how, known_on``.
    sources : dict
        The last day that each table tells of.
    authorities : frozenset of str
        Those whose children were scored: what is kept of others stays as it is.
    """

    as_of: date
    schools: list[dict[str, str]] = field(default_factory=list)
    places: list[dict[str, Any]] = field(default_factory=list)
    pupil_histories: dict[str, dict[str, Any]] = field(default_factory=dict)
    deadlines: list[Deadline] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    authorities: frozenset[str] = frozenset()


def gather(
    histories: Histories,
    as_of: date,
    scores: Collection[Score],
    rules: dict[str, DeadlineRule],
    closed: frozenset[date] = frozenset(),
    also: Iterable[str] = (),
) -> Gathered:
    """Find everything in the histories as it was known on a day.

    Parameters
    ----------
    histories : Histories
    as_of : date
    scores : collection of Score
        Those of the first ranks get a past.
    rules : dict
        How long each clock runs.
    closed : frozenset of date
        Days on which no school of the authority is open.
    also : iterable of str
        Others who get a past, such as those with a case.
    """
    spells = last_spells(histories, as_of)
    here = spells.filter(pl.col("on_roll"))
    days = SchoolDays.of(histories, here, as_of, closed)
    known = set(here["pupil_id"])
    first = {s.pupil_id for s in scores if s.rank <= RANKS} | {p for p in also if p in known}
    found = Gathered(as_of=as_of, schools=_schools(histories), sources=_sources(histories, as_of))
    found.authorities = frozenset(s.authority for s in scores)
    found.deadlines = find_deadlines(histories, spells, as_of, days, rules)
    found.transitions = find_transitions(histories, spells, as_of)
    found.missing = _missing(histories, spells, as_of)
    found.pupil_histories = pupil_histories(histories, sorted(first), here, as_of)
    told = (
        {c.pupil_id for c in found.deadlines}
        | {c.pupil_id for c in found.transitions}
        | {g["pupil_id"] for g in found.missing}
    )
    places = spells.filter(pl.col("pupil_id").is_in(list(told))).select("pupil_id", "authority", "urn", "nc_year")
    found.places = places.sort("pupil_id").to_dicts()
    return found


def _schools(histories: Histories) -> list[dict[str, str]]:
    if "schools" not in histories.present:
        return []
    names = collect(histories.frame("schools").unique(subset=["urn"], keep="first", order_by=["phase", "authority"]))
    rows = names.sort("urn").select("urn", "name", "phase").iter_rows(named=True)
    return [{"urn": r["urn"], "name": (r["name"] or r["urn"])[:200], "phase": r["phase"] or ""} for r in rows]


def _sources(histories: Histories, as_of: date) -> dict[str, str]:
    found, day = {}, day_number(as_of)
    for name in EVENTS:
        if name in histories.present:
            top = histories.frame(name).filter(nw.col("known") < day).select(nw.col("known").max()).collect().item()
            if top is not None:
                found[name] = day_of(int(top)).isoformat()
    return found


def _missing(histories: Histories, spells: pl.DataFrame, as_of: date) -> list[dict[str, Any]]:
    """Return children who left a roll within a year and went missing: their destination says so, or has long been unknown."""
    found = []
    for r in spells.filter(~pl.col("on_roll")).iter_rows(named=True):
        left, where = day_of(r["leaving_date"]), r["destination"]
        if where == "missing_education" or (where in (None, "unknown") and (as_of - left).days >= GONE_AFTER):
            found.append({"pupil_id": r["pupil_id"], "on_day": left, "how": where or "unknown", "known_on": as_of})
    return found
