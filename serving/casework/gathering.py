"""Gather what caseworkers need besides scores, with one pass over the histories for each kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import narwhals as nw
import polars as pl

from histories.calendar import day_number, day_of
from histories.reading.frames import collect
from histories.reading.histories import EVENTS, Histories
from histories.reading.once import once
from serving.casework.deadlines import find_deadlines
from serving.casework.duty import Deadline, Rules
from serving.casework.family import AtHome, Involvement, find_at_home, find_involvements, find_missing_cases
from serving.casework.history import pupil_histories
from serving.casework.leavers import Leaver, find_leavers, of_school_age
from serving.casework.no_roll import OffRoll, find_off_roll
from serving.casework.rolls import followed, newest_spells
from serving.casework.school_days import SchoolDays
from serving.casework.silence import SilentChild, SilentSchool, silent_registers
from serving.casework.transitions import Transition, find_transitions
from training.explanation.score_columns import Ranking

RANKS = 500  # ranks of each authority whose history is gathered
PLACE = ("pupil_id", "authority", "urn", "nc_year", "left_from")
GONE_AFTER = 28  # days on no roll after which an unknown destination counts as missing


@dataclass(kw_only=True)
class Gathered:
    """The casework data as known on a day.

    Attributes
    ----------
    schools : list of dict
        ``urn, name, phase``.
    places : list of dict
        The columns ``PLACE`` of children with a deadline, a transition or an open case of missing education, or on no roll.
    pupil_histories : dict
        See ``history.pupil_histories``.
    over : list of Deadline
        Running duties that records show as done, or as never arisen.
    missing : list of dict
        ``pupil_id, on_day, how, known_on``.
    roll_years : dict
        The year group that the roll states, or of a child on none the last one, by pupil.
    sources : dict
        The newest recording day of each table.
    authorities : frozenset of str
        Authorities whose children were scored; stored data of others is not changed.
    """

    as_of: date
    schools: list[dict[str, str]] = field(default_factory=list)
    places: list[dict[str, Any]] = field(default_factory=list)
    pupil_histories: dict[str, dict[str, Any]] = field(default_factory=dict)
    deadlines: list[Deadline] = field(default_factory=list)
    over: list[Deadline] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    off_roll: list[OffRoll] = field(default_factory=list)
    leavers: list[Leaver] = field(default_factory=list)
    involvements: list[Involvement] = field(default_factory=list)
    at_home: list[AtHome] = field(default_factory=list)
    silent_children: list[SilentChild] = field(default_factory=list)
    silent_schools: list[SilentSchool] = field(default_factory=list)
    roll_years: dict[str, int] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    authorities: frozenset[str] = frozenset()


def gather(
    histories: Histories,
    ranking: Ranking,
    rules: Rules,
    closed: frozenset[date] = frozenset(),
    also: Iterable[str] = (),
    *,
    running: Iterable[Deadline] = (),
) -> Gathered:
    """Gather the casework data as known on a day.

    Parameters
    ----------
    histories : Histories
    ranking : Ranking
        Of the day; children in the top ranks get a history.
    rules : dict
        How long each duty may take, by kind.
    closed : frozenset of date
        Days on which all of the authority's schools are closed.
    also : iterable of str
        Other children who get a history, such as those with a case.
    running : iterable of Deadline
        Duties that the histories began on earlier days and nobody has stopped.
    """
    as_of = ranking.as_of
    newest = newest_spells(histories, as_of)
    spells = followed(newest, as_of)
    on_roll = spells.filter(pl.col("on_roll"))
    days = SchoolDays.of(histories, on_roll, as_of, closed)
    enrolled = set(on_roll["pupil_id"])
    ranked = ranking.ranked
    shown = {pupil for pupil, rank, _ in ranked if rank <= RANKS} | {p for p in also if p in enrolled}
    gathered = Gathered(as_of=as_of, schools=_schools(histories), sources=_sources(histories, as_of))
    gathered.authorities = frozenset(authority for *_, authority in ranked)
    gathered.roll_years = dict(spells.filter("states_year").select("pupil_id", "roll_year").iter_rows())
    duties = find_deadlines(histories, newest, as_of, days, rules, running=running)
    gathered.deadlines, gathered.over = duties.due, duties.over
    gathered.transitions = find_transitions(histories, spells, as_of)
    gathered.missing = _missing(histories, spells, as_of)
    gathered.off_roll = find_off_roll(histories, newest, as_of)
    gathered.leavers = find_leavers(newest)
    off_roll = {c.pupil_id for c in gathered.off_roll}
    everybody = sorted({*spells["pupil_id"], *off_roll, *of_school_age(gathered.leavers)})
    missing_cases = find_missing_cases(histories, everybody, as_of)
    gathered.involvements = [*find_involvements(histories, everybody, as_of), *missing_cases]
    gathered.at_home = find_at_home(histories, everybody, as_of)
    gathered.pupil_histories = pupil_histories(histories, sorted(shown), on_roll, as_of)
    gathered.silent_children, gathered.silent_schools = silent_registers(histories, on_roll, as_of, days)
    of_school = on_roll.filter(pl.col("urn").is_in([s.urn for s in gathered.silent_schools]))["pupil_id"]
    for pupil in gathered.pupil_histories.keys() & {*of_school, *(c.pupil_id for c in gathered.silent_children)}:
        gathered.pupil_histories[pupil]["silent"] = True
    concerned = (
        {c.pupil_id for c in gathered.deadlines}
        | {c.pupil_id for c in gathered.transitions}
        | {g["pupil_id"] for g in gathered.missing}
        | {c.pupil_id for c in missing_cases}
    )
    places = newest.filter(pl.col("pupil_id").is_in(list(concerned))).select(*PLACE)
    gathered.places = places.sort("pupil_id").to_dicts()
    placed = set(places["pupil_id"])
    gathered.places += [
        {column: getattr(c, column) for column in PLACE} for c in gathered.off_roll if c.pupil_id not in placed
    ]
    return gathered


def _schools(histories: Histories) -> list[dict[str, str]]:
    if "schools" not in histories.present:
        return []
    names = collect(once(histories, "schools"))
    rows = names.sort("urn").select("urn", "name", "phase").iter_rows(named=True)
    return [{"urn": r["urn"], "name": (r["name"] or r["urn"])[:200], "phase": r["phase"] or ""} for r in rows]


def _sources(histories: Histories, as_of: date) -> dict[str, str]:
    newest, day = {}, day_number(as_of)
    for name in EVENTS:
        if name in histories.present:
            top = histories.frame(name).filter(nw.col("known") < day).select(nw.col("known").max()).collect().item()
            if top is not None:
                newest[name] = day_of(int(top)).isoformat()
    return newest


def _missing(histories: Histories, spells: pl.DataFrame, as_of: date) -> list[dict[str, Any]]:
    """Return the past year's leavers who went missing: their destination says so or has long been unknown."""
    leavers: list[dict[str, Any]] = []
    for r in spells.filter(~pl.col("on_roll")).iter_rows(named=True):
        leaving_day, where = day_of(r["leaving_date"]), r["destination"]
        if where == "missing_education" or (where in (None, "unknown") and (as_of - leaving_day).days >= GONE_AFTER):
            leavers.append(
                {"pupil_id": r["pupil_id"], "on_day": leaving_day, "how": where or "unknown", "known_on": as_of}
            )
    return leavers
