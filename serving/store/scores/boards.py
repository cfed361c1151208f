"""Figures for the boards: transitions to secondary school, and the outcomes of listed children."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from histories.calendar import london_day
from serving.store.cases.cases import PLACE
from serving.store.cases.casework_tables import StoredMissing, StoredTransition
from serving.store.cases.last_school import TAUGHT
from serving.store.cases.tables import Case, CaseEntry
from serving.store.scores.stored_scores import lists_shown_then, of_list
from serving.store.scores.tops import lists_since, places_until_now, top_of
from serving.store.tables import Pupil, ScoreList, StoredScore
from serving.store.unit_of_work import View

LOOK_BACK = timedelta(weeks=12)


def transitions(view: View) -> list[dict[str, Any]]:
    """Return the newest transitions to secondary school of children of the caller's scope.

    Returns
    -------
    list of dict
        The columns of ``StoredTransition``, and ``pupil_ref``.
    """
    newest = (
        sa.select(sa.func.max(StoredTransition.as_of))
        .join(Pupil, Pupil.pupil_id == StoredTransition.pupil_id)
        .where(*view.caller.children(Pupil))
    )
    query = (
        sa.select(StoredTransition.__table__, Pupil.pupil_ref)
        .join(Pupil, Pupil.pupil_id == StoredTransition.pupil_id)
        .where(*view.caller.children(Pupil), StoredTransition.as_of == newest.scalar_subquery())
        .order_by(StoredTransition.missed_days.desc(), StoredTransition.from_urn, StoredTransition.pupil_id)
    )
    rows = [dict(r) for r in view.connection.execute(query).mappings()]
    view.record("transition.seen", pupils=[row["pupil_id"] for row in rows])
    return rows


@dataclass(kw_only=True)
class ListOutcome:
    """The outcomes of listed children since a day.

    Attributes
    ----------
    since : date
    days : tuple of date
        The days of the lists since then.
    horizon_days : int
        How many days the newest list is about.
    listed : int
        Distinct children at the top of a list.
    contacted, acted, well, dismissed : int
        Number of them with whom somebody spoke, who had an action, were found well, or were set aside, since they were first listed.
    missing : int
        Number of them who went missing after being listed.
    unlisted : int
        Children who went missing without being at the top of one of these lists before.
    owners : dict
        Open cases by owner; None for unassigned ones.
    by_school : dict
        Listed children by school; unsuppressed counts.
    """

    since: date
    days: tuple[date, ...] = ()
    horizon_days: int = 0
    listed: int = 0
    contacted: int = 0
    acted: int = 0
    well: int = 0
    dismissed: int = 0
    missing: int = 0
    unlisted: int = 0
    owners: dict[str | None, int] = field(default_factory=dict)
    by_school: dict[str, int] = field(default_factory=dict)

    @property
    def lists(self) -> int:
        """Number of lists since then."""
        return len(self.days)


def list_outcome(
    view: View,
    most: int,
    well: Sequence[str],
    today: date,
    no_conversation: Sequence[str] = (),
    *,
    team: str | None = None,
) -> ListOutcome:
    """Count the outcomes of the top children of each list in the last 12 weeks.

    Parameters
    ----------
    view : View
    most : int
        Number of children at the top of the newest list; earlier ones have that of their time (``tops.places``).
    well : sequence of str
        Outcomes of a contact that mean the child is well.
    today : date
    no_conversation : sequence of str
        Outcomes of a contact in which nobody was spoken to; they do not count as contacted.
    team : str, optional
        See ``tops.places``.
    """
    newest = view.connection.scalar(sa.select(sa.func.max(ScoreList.as_of)).where(*lists_shown_then(view.caller)))
    outcome = ListOutcome(since=(newest or today) - LOOK_BACK)
    first_day, urn_of = _first_of_lists(view, most, outcome, team)
    outcome.listed, outcome.by_school = len(first_day), dict(Counter(urn_of.values()).most_common())
    query = (
        sa.select(Case.pupil_id, CaseEntry.kind, CaseEntry.code, CaseEntry.on_day, CaseEntry.at)
        .join(Case, Case.case_id == CaseEntry.case_id)
        .where(Case.pupil_id.in_(first_day), CaseEntry.kind.in_(("contact", "action", "dismissed")))
        .where(*view.caller.scope_of_authority(Case))
    )
    done: dict[str, set[str]] = {}
    for r in view.connection.execute(query):
        is_before = (r.on_day or london_day(r.at)) < first_day[r.pupil_id]
        if is_before or (r.kind == "contact" and r.code in no_conversation):
            continue
        done.setdefault(r.kind, set()).add(r.pupil_id)
        if r.kind == "contact" and r.code in well:
            done.setdefault("well", set()).add(r.pupil_id)
    outcome.contacted, outcome.acted = len(done.get("contact", ())), len(done.get("action", ()))
    outcome.well, outcome.dismissed = len(done.get("well", ())), len(done.get("dismissed", ()))
    gone = (
        sa.select(StoredMissing.pupil_id, StoredMissing.on_day)
        .join(Pupil, Pupil.pupil_id == StoredMissing.pupil_id)
        .where(*view.caller.children(TAUGHT), StoredMissing.on_day >= outcome.since)
    )
    missing = {r.pupil_id: r.on_day for r in view.connection.execute(gone)}
    caught = {p for p, day in missing.items() if p in first_day and first_day[p] <= day}
    outcome.missing, outcome.unlisted = len(caught), len(missing) - len(caught)
    owners = sa.select(Case.owner, sa.func.count()).join(Pupil, Pupil.pupil_id == Case.pupil_id)
    owners = owners.where(*view.caller.children(PLACE), Case.closed_at.is_(None)).group_by(Case.owner)
    outcome.owners = {r[0]: r[1] for r in view.connection.execute(owners)}
    view.record("team.seen", lists=outcome.lists, listed=outcome.listed)
    return outcome


def _first_of_lists(
    view: View, most: int, outcome: ListOutcome, team: str | None
) -> tuple[dict[str, date], dict[str, str]]:
    """Return the first day on which each child was at the top of a list, and the school on the latest such day."""
    lists = lists_since(view, outcome.since, shown_then=True)
    outcome.days = tuple(lists)
    horizon = sa.select(StoredScore.horizon_days).where(*view.caller.children(StoredScore)).limit(1)
    for newest in list(lists.items())[-1:]:
        outcome.horizon_days = view.connection.scalar(horizon.where(*of_list(newest))) or 0
    room = places_until_now(view, lists, most, team)
    first_day: dict[str, date] = {}
    urn_of: dict[str, str] = {}
    for listed in lists.items():
        day, _ = listed
        for r in top_of(view, listed, room[day]):
            first_day.setdefault(r.pupil_id, day)
            urn_of[r.pupil_id] = r.urn
    return first_day, urn_of
