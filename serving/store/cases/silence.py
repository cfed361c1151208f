"""Registers that stopped: children stored by themselves, schools with the list; read within the caller's scope.

They are kept once, as gathered last. An older list may be shown, after a rollback for instance: a register is no less silent for that.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from serving.store.cases.casework_tables import StoredSilence
from serving.store.cases.family import replace_rows
from serving.store.cases.tables import Case, Person
from serving.store.scores import tops
from serving.store.scores.stored_scores import of_authority, of_list
from serving.store.tables import NAMED, Pupil, ScoreList, StoredScore
from serving.store.unit_of_work import Change, View, once_a_view

if TYPE_CHECKING:  # slow to import
    from serving.casework import Gathered

REACH = timedelta(days=130)  # in which school days are counted, as serving.casework.school_days has it
LOOK_BACK = timedelta(weeks=12)  # of lists whose top children are followed
MAX = 50  # children on a page
NOT_GATHERED = "{}"  # sources of a list without the casework data of its day
SHOWN = ("pupil_id", "pupil_ref", "urn", "nc_year", "roll_year", "left_on", "left_to", "owner")
# The open case of a pupil in the authority where the pupil is now.
_OPEN = sa.and_(Case.pupil_id == Pupil.pupil_id, Case.authority == Pupil.authority, Case.closed_at.is_(None))


@dataclass(frozen=True, kw_only=True)
class Silence:
    """A register that stopped.

    Attributes
    ----------
    since : date
    days : int
        School days without it.
    school : bool
        Whether the whole school sends none, not only none of the child.
    at_least : bool
        Whether there were more such school days before those that are counted.
    """

    since: date
    days: int
    school: bool = False
    at_least: bool = False


def replace(change: Change, gathered: Gathered, model_version: str, in_authorities: sa.Select[Any]) -> None:
    """Store whose registers stopped: children in place of those of before, schools with the authority's list."""
    children = [vars(child) for child in gathered.silent_children]
    replace_rows(change, StoredSilence, children, gathered.as_of, in_authorities)
    for authority in sorted(gathered.authorities):
        stored = [
            {"urn": s.urn, "since": s.since.isoformat(), "days": s.days}
            for s in gathered.silent_schools
            if s.authority == authority
        ]
        listed = sa.update(ScoreList).where(
            ScoreList.authority == authority,
            ScoreList.as_of == gathered.as_of,
            ScoreList.model_version == model_version,
        )
        change.connection.execute(listed.values(silent_schools=json.dumps(stored)))


@once_a_view
def schools(view: View) -> dict[str, Silence]:
    """Return the schools of the caller's scope that send no register, by URN: as gathered last, whichever list is shown."""
    gathered = [*of_authority(view.caller), ScoreList.sources != NOT_GATHERED]
    newest = sa.select(ScoreList.authority, sa.func.max(ScoreList.as_of).label("as_of")).where(*gathered)
    last = newest.group_by(ScoreList.authority).subquery()
    on_last = sa.and_(last.c.authority == ScoreList.authority, last.c.as_of == ScoreList.as_of)
    query = sa.select(ScoreList.authority, ScoreList.silent_schools).join(last, on_last).where(*gathered)
    by_authority = {
        row.authority: row.silent_schools for row in view.connection.execute(query.order_by(ScoreList.stored_at))
    }
    stored = [school for text in by_authority.values() for school in json.loads(text)]
    return {
        s["urn"]: Silence(since=date.fromisoformat(s["since"]), days=s["days"], school=True)
        for s in sorted(stored, key=lambda s: (-s["days"], s["urn"]))
        if not view.caller.urns or s["urn"] in view.caller.urns
    }


def of_pupils(view: View, pupils: Collection[str]) -> dict[str, Silence]:
    """Return which registers have stopped of some pupils in the caller's scope, as gathered last. The calling code records that they were seen."""
    quiet = schools(view)
    silence = {}
    if quiet:
        at = sa.select(Pupil.pupil_id, Pupil.urn).where(Pupil.pupil_id.in_(pupils), Pupil.urn.in_(quiet))
        at = at.where(*view.caller.children(NAMED))
        silence = {row.pupil_id: quiet[row.urn] for row in view.connection.execute(at)}
    query = sa.select(StoredSilence.pupil_id, StoredSilence.since, StoredSilence.days, StoredSilence.as_of)
    query = query.join(Pupil, Pupil.pupil_id == StoredSilence.pupil_id).where(*view.caller.children(NAMED))
    own = view.connection.execute(query.where(StoredSilence.pupil_id.in_(pupils)))
    return {**silence, **{row.pupil_id: of_child(row.since, row.days, row.as_of) for row in own}}


def of_child(since: date, days: int, as_of: date) -> Silence:
    """Return the silence of one child's register, as known on a day."""
    return Silence(since=since, days=days, at_least=since < as_of - REACH)


def followed(
    view: View, newest: tuple[date, str] | None, most: int, besides: Collection[str] = (), team: str | None = None
) -> tuple[list[dict[str, Any]], int]:
    """Return the children whose register stopped and whom the team followed: at the top of a list of the last twelve weeks, or with a case.

    Parameters
    ----------
    view : View
    newest : tuple or None
        Day and model version of the newest list; without one, children with a case are followed.
    most : int
        The team's capacity.
    besides : collection of str
        Pupils to leave out, such as those whose rows say it.
    team : str, optional
        See ``tops.places``.

    Returns
    -------
    tuple
        The first children, each with ``pupil_id, pupil_ref, urn, nc_year, roll_year, left_on, left_to, owner`` (a name, or None) and ``silent``, the longest silence first; nobody who is dismissed as
        not for this list; and how many there are. The audit records those returned.
    """
    quiet = schools(view)
    before: set[str] = set()
    if newest is not None:
        lists = tops.lists_since(view, newest[0] - LOOK_BACK)
        before = tops.at_top(view, lists, most, newest[0], team)
    wanted = (before | _with_case(view, quiet)) - set(besides)
    if not wanted:
        view.record("silence.seen")
        return [], 0
    owner = sa.func.coalesce(Person.name, Case.owner).label("owner")
    columns = (*(getattr(Pupil, name) for name in SHOWN[:-1]), owner)
    query = (
        _silent(sa.select(*columns).select_from(Pupil), quiet)
        .add_columns(StoredSilence.since, StoredSilence.days, StoredSilence.as_of)
        .join(Case, _OPEN, isouter=True)
        .join(Person, Person.person_id == Case.owner, isouter=True)
        .where(*view.caller.children(NAMED), Pupil.pupil_id.in_(wanted), Case.dismissed_why.is_(None))
    )
    rows = [
        {
            **{name: r[name] for name in SHOWN},
            "silent": of_child(r["since"], r["days"], r["as_of"]) if r["since"] else quiet[r["urn"]],
        }
        for r in view.connection.execute(query).mappings()
    ]
    rows.sort(key=lambda r: (-r["silent"].days, r["pupil_id"]))
    view.record("silence.seen", pupils=[r["pupil_id"] for r in rows[:MAX]])
    return rows[:MAX], len(rows)


def count(view: View, newest: tuple[date, str] | None) -> int:
    """Return how many children of the newest list have no register, set aside or not."""
    if newest is None:
        return 0
    # From the few silent children and schools to their scores: the other way every score of the list is read.
    listed = [*of_list(newest), *view.caller.children(StoredScore)]
    on_list = sa.exists().where(StoredScore.pupil_id == Pupil.pupil_id, *listed).correlate(Pupil)
    here = [*view.caller.children(Pupil), on_list]
    of_child = sa.exists().where(Pupil.pupil_id == StoredSilence.pupil_id, *here).correlate(StoredSilence)
    silent = set(view.connection.scalars(sa.select(StoredSilence.pupil_id).where(of_child)))
    if quiet := schools(view):
        silent |= set(view.connection.scalars(sa.select(Pupil.pupil_id).where(Pupil.urn.in_(quiet), *here)))
    return len(silent)


def _with_case(view: View, quiet: Mapping[str, Silence]) -> set[str]:
    """Return the pupils with an open case whose register stopped."""
    # From the few open cases to their pupils: the other way every pupil of the authority is read.
    of_case = _silent(sa.select(Pupil.pupil_id), quiet).where(_OPEN, *view.caller.children(Pupil)).correlate(Case)
    return set(view.connection.scalars(sa.select(Case.pupil_id).where(Case.closed_at.is_(None), of_case.exists())))


def _silent(query: sa.Select[Any], quiet: Mapping[str, Silence]) -> sa.Select[Any]:
    """Restrict a query of pupils to those whose register, or whose school's, stopped."""
    own = StoredSilence.pupil_id == Pupil.pupil_id
    stopped = sa.or_(StoredSilence.pupil_id.is_not(None), Pupil.urn.in_(quiet))
    return query.join(StoredSilence, own, isouter=True).where(stopped)
