"""The top of a list: the first children up to a team's capacity, without those who had been set aside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from histories.calendar import london_midnight
from serving.store.cases.tables import Case, CaseEntry
from serving.store.scores import list_capacity
from serving.store.scores.stored_scores import lists_shown_then, newest_list, of_list, own_lists
from serving.store.tables import ScoreList, StoredScore
from serving.store.unit_of_work import View, once_a_view

ASIDE = ("dismissed", "snoozed")  # entries that set a child aside
BACK = ("woken", "closed", "handed_over")  # entries that end it


def lists_since(view: View, since: date, *, shown_then: bool = False) -> dict[date, str]:
    """Return the days of the caller's lists from a day on, oldest first, each with the model version whose list of it is shown.

    Parameters
    ----------
    shown_then : bool
        Count also the lists of versions that were taken back since: for figures of what was done, which name nobody.
    """
    own = lists_shown_then(view.caller) if shown_then else own_lists(view)
    query = sa.select(ScoreList.as_of, ScoreList.model_version).where(*own, ScoreList.as_of >= since)
    rows = view.connection.execute(query.order_by(ScoreList.as_of, ScoreList.stored_at))
    return {row.as_of: row.model_version for row in rows}


def places(view: View, lists: Mapping[date, str], most: int, team: str | None = None) -> dict[date, int]:
    """Return how many children stand at the top of each list: as many as the team could review when the list was made.

    Parameters
    ----------
    lists : mapping
        Days and model versions of past lists.
    most : int
        The capacity of today, for lists that do not hold the one that they were made with, and for callers of all authorities; 0 if nobody is to be shown.
    team : str, optional
        The team; by default all teams of the authority together.
    """
    then = {
        row.as_of: list_capacity.of_authority(row.capacity)
        if team is None
        else list_capacity.of_team(row.capacity, team)
        for row in _capacities(view, tuple(lists))
        if lists[row.as_of] == row.model_version
    }
    return {day: (then.get(day) or most) if most else 0 for day in lists}


@once_a_view
def _capacities(view: View, days: tuple[date, ...]) -> list[Any]:
    query = sa.select(ScoreList.as_of, ScoreList.model_version, ScoreList.capacity)
    query = query.where(ScoreList.authority == view.caller.authority, ScoreList.as_of.in_(days))
    return list(view.connection.execute(query))


def places_until_now(view: View, lists: Mapping[date, str], most: int, team: str | None = None) -> dict[date, int]:
    """Return ``places`` of past lists, and for the newest list the capacity of today, by which it is shown."""
    newest = newest_list(view)
    return {d: most if newest and d == newest[0] else n for d, n in places(view, lists, most, team).items()}


@once_a_view
def top_of(
    view: View,
    listed: tuple[date, str],
    most: int,
    *,
    where: tuple[sa.ColumnElement[bool], ...] = (),
    until: date | None = None,
) -> list[Any]:
    """Return the first children of a list in the caller's scope: ``pupil_id``, ``rank`` and ``urn``.

    Parameters
    ----------
    listed : tuple
        The list's day and model version.
    most : int
        Number of children.
    where : tuple
        Other conditions on the scores.
    until : date, optional
        The day of the next list: those who were set aside before it, and so made room for others, are left out too. By default
        only those who were set aside before the list's own day are.
    """
    return list(view.connection.execute(_top(view, listed, most, where, until)))


def at_top(view: View, lists: Mapping[date, str], most: int, before: date, team: str | None = None) -> set[str]:
    """Return the children who were at the top of one of the lists before a day, or took the place of others there; see ``places``."""
    room = places(view, lists, most, team)
    days = sorted(day for day in lists if day < before)
    tops = [
        _top(view, (day, lists[day]), room[day], (), until).subquery()
        for day, until in zip(days, [*days[1:], before], strict=False)
    ]
    if not tops:
        return set()
    return set(view.connection.scalars(sa.union_all(*(sa.select(top.c.pupil_id) for top in tops))))


def _top(
    view: View, listed: tuple[date, str], most: int, where: tuple[sa.ColumnElement[bool], ...], until: date | None
) -> sa.Select[Any]:
    start = london_midnight(listed[0])
    aside = set_aside(start, london_midnight(until) if until else start, listed[0])
    of_scope = [*view.caller.children(StoredScore), *of_list(listed), *where]
    columns: tuple[Any, ...] = (StoredScore.pupil_id, StoredScore.rank, StoredScore.urn)
    query = sa.select(*columns).where(*of_scope, ~aside)
    return query.order_by(StoredScore.rank, StoredScore.authority).limit(most)


@lru_cache(maxsize=128)  # building it takes longer than SQLite does with it, and the days of lists are few
def set_aside(start: datetime, end: datetime, day: date) -> sa.ColumnElement[bool]:
    """Return whether a score's child was set aside before ``end`` and not put back before ``start``, which is on ``day``."""
    entry, later = aliased(CaseEntry), aliased(CaseEntry)
    again = sa.and_(entry.kind == "snoozed", later.kind == "snoozed")
    ended = sa.exists().where(
        later.case_id == entry.case_id,
        later.version > entry.version,
        later.at < start,
        sa.or_(later.kind.in_(BACK), again),
    )
    of_child = sa.and_(
        Case.pupil_id == StoredScore.pupil_id,
        Case.authority == StoredScore.authority,
        entry.case_id == Case.case_id,
    )
    aside = sa.and_(entry.kind.in_(ASIDE), entry.at < end, sa.or_(entry.kind == "dismissed", entry.on_day > day))
    return sa.exists().where(of_child, aside, ~ended).correlate(StoredScore)


def rank_change(rank: int, before: int | None, *, was_first: bool, silent: bool) -> str | None:
    """Return how a child's rank changed since the previous list.

    Parameters
    ----------
    before : int or None
        Rank on the previous list.
    was_first : bool
        Whether the child was among the first of that list, which the team took up.
    silent : bool
        Whether the register is silent: a register that has stopped lowers no risk.
    """
    if before is None or not was_first:
        return "new"
    if rank == before:
        return "same"
    if rank < before:
        return "risen"
    return None if silent else "fallen"
