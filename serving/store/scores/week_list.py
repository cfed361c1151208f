"""A team's weekly list: as many children as it has capacity for, without those set aside, and the change since the last list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from serving.store.cases.casework_tables import School, StoredDeadline, StoredHistory
from serving.store.cases.last_school import duties_in_scope
from serving.store.cases.silence import Silence, of_pupils
from serving.store.cases.tables import Capacity, Case, Person
from serving.store.scores import kept_numbers
from serving.store.scores.chosen import OPEN, WHOLE, Chosen, conditions_of, matching, set_aside, shown
from serving.store.scores.stored_scores import newest_list, of_list, own_lists
from serving.store.scores.tops import places, rank_change, top_of
from serving.store.tables import NAMED, Pupil, ScoreList, StoredScore
from serving.store.unit_of_work import View, once_a_view

PAGE = 50  # children on a page of a view that the team's capacity does not limit


@dataclass(kw_only=True)
class Listed:
    """One child of the list.

    Attributes
    ----------
    score : dict
        As stored.
    moved : {"new", "risen", "fallen", "same"} or None
        Change of rank since the previous list; None when there is none, or when the rank fell while the register is silent.
    roll_year : int or None
        The year group by the roll, where that states one.
    owner : str or None
        Owner of the case.
    version : int
        Version of the open case; 0 without one.
    snoozed_until : date or None
    dismissed_why : str or None
        Code of the reason why the child is set aside.
    clock : dict or None
        ``kind`` and ``due_on`` of the next deadline.
    silent : Silence or None
        Since when the register is silent.
    history : dict
        As gathered last; empty if none is stored. See ``serving.casework.history``.
    gathered_on : date or None
        The day as of which ``history`` was gathered; that of another list than this one after a rollback, for instance.
    """

    pupil_ref: str
    score: dict[str, Any]
    moved: str | None
    owner: str | None
    clock: dict[str, Any] | None
    school: str
    roll_year: int | None = None
    version: int = 0
    snoozed_until: date | None = None
    dismissed_why: str | None = None
    silent: Silence | None = None
    history: dict[str, Any] = field(default_factory=dict)
    gathered_on: date | None = None

    @property
    def pupil_id(self) -> str:
        """The pupil's key."""
        return str(self.score["pupil_id"])


@dataclass(kw_only=True)
class WeekList:
    """A list and its sources.

    Attributes
    ----------
    set_aside : int
        Number of matching children who are snoozed or dismissed.
    matched, total : int
        Number of children who match what was chosen, and of all children on the list; those set aside count in their own view only.
    every : frozenset of str
        All children of a view that the team's capacity does not limit, of which ``children`` are one page.
    page : int
        Which of the pages of such a view, the last one if there are fewer than asked for.
    before : date or None
        Day of the previous list.
    other_model : bool
        Whether another model version made the previous list.
    sources : dict
        The last known day of each table.
    """

    as_of: date | None = None
    stored_at: datetime | None = None
    model_version: str = ""
    children: list[Listed] = field(default_factory=list)
    before: date | None = None
    other_model: bool = False
    sources: dict[str, str] = field(default_factory=dict)
    every: frozenset[str] = frozenset()
    page: int = 1
    set_aside: int = 0
    matched: int = 0
    total: int = 0


def week(
    view: View, chosen: Chosen, most: int, today: date, action: str = "worklist.seen", *, team: str | None = None
) -> WeekList:
    """Return the children of the newest list who match, by rank; see ``Chosen.show``.

    Parameters
    ----------
    view : View
    chosen : Chosen
    most : int
        The team's capacity.
    today : date
        A snooze ends on its day.
    action : str
        Action to record in the audit.
    team : str, optional
        Whose capacity it is; see ``tops.places``.
    """
    newest = newest_list(view)
    if newest is None:
        view.record(action, as_of=None)
        return WeekList()
    of_scope = [*view.caller.children(StoredScore), *of_list(newest)]
    conditions = [*of_scope, *conditions_of(chosen, newest)]
    of_view = shown(view, chosen.show, today)
    week_list = WeekList(as_of=newest[0], model_version=newest[1])
    query = (
        sa.select(
            StoredScore.score_id,
            StoredScore.body,
            StoredScore.rank,
            Pupil.pupil_ref,
            Pupil.pupil_id,
            # What another authority's roll states is not told to the one that the child has left.
            sa.case((Pupil.authority == StoredScore.authority, Pupil.roll_year)).label("roll_year"),
            Person.name.label("owner_name"),
            Case.owner,
            Case.version,
            Case.snoozed_until,
            Case.dismissed_why,
        )
        .join(Pupil, Pupil.pupil_id == StoredScore.pupil_id)
        .join(Case, OPEN, isouter=True)
        .join(Person, Person.person_id == Case.owner, isouter=True)
        .where(*conditions, *of_view)
        .order_by(StoredScore.rank, StoredScore.authority)
    )
    if chosen.show in WHOLE:
        week_list.every = _every(view, conditions, of_view)
        # The last page may have emptied since its address was made.
        week_list.page = min(chosen.page or 1, max(-(-len(week_list.every) // PAGE), 1))
        whole = chosen.page is None
        query = query if whole else query.limit(PAGE).offset(PAGE * (week_list.page - 1))
    else:
        query = query.limit(most)
    rows = view.connection.execute(query).all()
    _count(view, week_list, of_scope, conditions, aside=set_aside(today))
    _add_sources(view, week_list)
    ids = [r.pupil_id for r in rows]
    ranks, top = _before(view, newest, week_list, chosen=chosen, pupils=ids, most=most, team=team)
    deadlines, names, histories = next_deadlines(view, ids), school_names(view), _histories(view, ids)
    silences = of_pupils(view, ids)
    for r, text in zip(rows, kept_numbers.texts(view.connection, rows), strict=True):
        score, silent, moved = json.loads(text), silences.get(r.pupil_id), None
        gathered_on, history = histories.get(r.pupil_id, (None, {}))
        if week_list.before is not None:
            before = ranks.get(r.pupil_id)
            # Whoever a view shows from further down is not new to the top.
            was_first = r.pupil_id in top or (chosen.show in WHOLE and r.rank > most)
            moved = rank_change(r.rank, before, was_first=was_first, silent=silent is not None)
        school = names.get(score["urn"], score["urn"])
        owner = r.owner_name or r.owner
        week_list.children.append(
            Listed(
                pupil_ref=r.pupil_ref,
                score=score,
                moved=moved,
                owner=owner,
                version=r.version or 0,
                snoozed_until=r.snoozed_until if r.snoozed_until and r.snoozed_until > today else None,
                dismissed_why=r.dismissed_why,
                clock=deadlines.get(r.pupil_id),
                school=school,
                roll_year=r.roll_year,
                silent=silent,
                history=history,
                gathered_on=gathered_on,
            )
        )
    if chosen.show == "new":
        week_list.children = [c for c in week_list.children if c.moved == "new"]
        week_list.matched = len(week_list.children)
    if chosen.show in WHOLE:
        week_list.matched = len(week_list.every)
    view.record(action, pupils=ids, as_of=newest[0], model_version=newest[1])
    return week_list


def _every(view: View, conditions: list[Any], of_view: list[Any]) -> frozenset[str]:
    """Return all children of a view, on whichever page."""
    query = (
        sa.select(StoredScore.pupil_id)
        .join(Pupil, Pupil.pupil_id == StoredScore.pupil_id)
        .join(Case, OPEN, isouter=True)
    )
    return frozenset(view.connection.scalars(query.where(*conditions, *of_view)))


def first_of_week(view: View, newest: tuple[date, str], most: int, today: date) -> set[str]:
    """Return the week's first children: those whom the list shows now, and those of its top on the list's day who were set aside since.

    A child who comes back in the week is one of them; whoever gave way to that child is not.
    """
    of_scope = [*view.caller.children(StoredScore), *of_list(newest)]
    now = (
        sa.select(StoredScore.pupil_id)
        .join(Case, OPEN, isouter=True)
        .where(*of_scope, *shown(view, "all", today))
        .order_by(StoredScore.rank, StoredScore.authority)
        .limit(most)
    )
    first = set(view.connection.scalars(now))
    top = {row.pupil_id for row in top_of(view, newest, most)} - first
    aside = sa.select(StoredScore.pupil_id).join(Case, OPEN)
    aside = aside.where(*of_scope, StoredScore.pupil_id.in_(top), set_aside(today))
    return first | set(view.connection.scalars(aside))


def _count(
    view: View,
    week_list: WeekList,
    of_scope: list[sa.ColumnElement[bool]],
    conditions: list[sa.ColumnElement[bool]],
    *,
    aside: sa.ColumnElement[bool],
) -> None:
    """Count the children of the list, those who match, and those of them who are set aside."""
    listed = sa.select(sa.func.count()).select_from(StoredScore)

    def count(where: list[sa.ColumnElement[bool]]) -> tuple[int, int]:
        # From the few open cases to their scores: the other way SQLite reads every score of the list.
        on_list = sa.exists().where(OPEN, *where)
        put_off = view.connection.scalar(sa.select(sa.func.count()).select_from(Case).where(aside, on_list)) or 0
        return (view.connection.scalar(listed.where(*where)) or 0) - put_off, put_off

    week_list.matched, week_list.set_aside = count(conditions)
    is_filtered = len(conditions) > len(of_scope)
    week_list.total = count(of_scope)[0] if is_filtered else week_list.matched


def _add_sources(view: View, week_list: WeekList) -> None:
    """Add when the list was stored, and the last known day of its sources."""
    lists = sa.select(ScoreList).where(*own_lists(view))
    same = (ScoreList.as_of == week_list.as_of, ScoreList.model_version == week_list.model_version)
    row = view.connection.execute(lists.where(*same).order_by(ScoreList.stored_at.desc()).limit(1)).one()
    week_list.stored_at, week_list.sources = row.stored_at, json.loads(row.sources)


def _before(
    view: View,
    newest: tuple[date, str],
    week_list: WeekList,
    *,
    chosen: Chosen,
    pupils: Sequence[str],
    most: int,
    team: str | None,
) -> tuple[dict[str, int], set[str]]:
    """Return the pupils' ranks on the previous list, and those who were at its top, also in the place of others set aside then."""
    earlier = sa.select(ScoreList.as_of, ScoreList.model_version).where(*own_lists(view), ScoreList.as_of < newest[0])
    row = view.connection.execute(
        earlier.order_by(ScoreList.as_of.desc(), ScoreList.stored_at.desc()).limit(1)
    ).one_or_none()
    if row is None:
        return {}, set()
    week_list.before, week_list.other_model = row.as_of, row.model_version != newest[1]
    previous = (row.as_of, row.model_version)
    of_scope = [*view.caller.children(StoredScore), *of_list(previous), StoredScore.pupil_id.in_(pupils)]
    ranked = sa.select(StoredScore.pupil_id, StoredScore.rank).where(*of_scope)
    ranks = {r.pupil_id: r.rank for r in view.connection.execute(ranked)}
    # Who stood further down than these says nothing about them.
    down_to = [StoredScore.rank <= max(ranks.values(), default=0)]
    room = places(view, dict([previous]), most, team)[row.as_of]
    top = top_of(view, previous, room, where=(*down_to, *matching(view, newest, chosen)), until=newest[0])
    if len(top) < room:  # all of them took part
        return ranks, set(ranks)
    last = top[-1].rank if top else 0
    return ranks, {pupil for pupil, rank in ranks.items() if rank <= last}


def _histories(view: View, pupils: Sequence[str]) -> dict[str, tuple[date, dict[str, Any]]]:
    """Return the histories of pupils who are in the caller's scope now, as gathered last, each with its day."""
    query = sa.select(StoredHistory.pupil_id, StoredHistory.as_of, StoredHistory.body)
    query = query.join(Pupil, Pupil.pupil_id == StoredHistory.pupil_id).where(*view.caller.children(NAMED))
    rows = view.connection.execute(query.where(StoredHistory.pupil_id.in_(pupils)))
    return {r.pupil_id: (r.as_of, json.loads(r.body)) for r in rows}


def next_deadlines(view: View, pupils: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return each pupil's next deadline in the caller's scope."""
    query = (
        sa.select(StoredDeadline.pupil_id, StoredDeadline.kind, StoredDeadline.due_on)
        .join(Pupil, Pupil.pupil_id == StoredDeadline.pupil_id)
        .where(StoredDeadline.pupil_id.in_(pupils), StoredDeadline.stopped_at.is_(None), duties_in_scope(view))
    )
    deadlines: dict[str, dict[str, Any]] = {}
    for r in view.connection.execute(query.order_by(StoredDeadline.due_on)):
        deadlines.setdefault(r.pupil_id, {"kind": r.kind, "due_on": r.due_on})
    return deadlines


@once_a_view
def school_names(view: View) -> dict[str, str]:
    """Return the names of schools by URN."""
    return {r.urn: r.name for r in view.connection.execute(sa.select(School.urn, School.name))}


def per_week(view: View, team: str, default: int) -> int:
    """Return a team's weekly capacity."""
    which = (Capacity.authority == view.caller.authority, Capacity.team == team)
    return view.connection.scalar(sa.select(Capacity.per_week).where(*which)) or default


def place(view: View, pupil_ref: str) -> dict[str, Any] | None:
    """Return a pupil's row, or None outside the caller's scope. The calling code records that the pupil was seen."""
    query = sa.select(Pupil.__table__).where(Pupil.pupil_ref == pupil_ref, *view.caller.children(Pupil))
    row = view.connection.execute(query).mappings().one_or_none()
    return dict(row) if row else None


def sources(view: View) -> dict[str, str]:
    """Return the last known day of each table when the newest list was stored."""
    query = (
        sa.select(ScoreList.sources)
        .where(*own_lists(view))
        .order_by(ScoreList.as_of.desc(), ScoreList.stored_at.desc())
    )
    stored = view.connection.scalar(query.limit(1))
    return json.loads(stored) if stored else {}
