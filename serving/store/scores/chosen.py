"""What a list shows: which view of it, and which filters, as conditions on scores, their pupils and open cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from serving.store.cases.casework_tables import StoredSilence
from serving.store.cases.silence import schools
from serving.store.cases.tables import Case
from serving.store.tables import NAMED, Pupil, StoredScore
from serving.store.unit_of_work import View

# The open case of a score's pupil in the score's authority; an authority that the pupil has left may have one too.
OPEN = sa.and_(Case.pupil_id == StoredScore.pupil_id, Case.authority == StoredScore.authority, Case.closed_at.is_(None))
SHOWS = ("all", "mine", "new", "silent", "aside")
WHOLE = ("mine", "silent", "aside")  # views that the team's capacity does not limit


@dataclass(frozen=True)
class Chosen:
    """Filters of a list; None does not filter.

    Attributes
    ----------
    show : {"all", "mine", "new", "silent", "aside"}
        The first children up to the team's capacity, the caller's cases, the first children who were not at the top of the
        previous list, all children whose register stopped, or children set aside.
    year_group : int or None
        As pages name it; see ``Pupil.roll_year``.
    gone : bool
        A filter names what is no more, such as an area: nobody matches.
    page : int or None
        Of the views that the team's capacity does not limit; the first is 1, None stands for all.
    """

    urns: Sequence[str] | None = None
    year_group: int | None = None
    theme: str | None = None
    gone: bool = False
    show: str = "all"
    page: int | None = 1


def conditions_of(
    chosen: Chosen, newest: tuple[date, str], of: type[StoredScore] = StoredScore
) -> list[sa.ColumnElement[bool]]:
    """Return the filters as conditions on the scores of the newest list, or on another name of their table."""
    if chosen.gone:
        return [sa.false()]
    cut: list[sa.ColumnElement[bool]] = [of.urn.in_(chosen.urns)] if chosen.urns is not None else []
    cut += [_in_year(chosen.year_group, newest, of)] if chosen.year_group is not None else []
    return [*cut, of.themes.contains(f"|{chosen.theme}|", autoescape=True)] if chosen.theme else cut


def _in_year(year_group: int, newest: tuple[date, str], of: type[StoredScore]) -> sa.ColumnElement[bool]:
    """Return whether a child is in a year group: by the roll, or by age where no roll states one.

    The few whom a roll has behind or ahead, and their ranks, are looked up first: for all others the list's index does, which holds the
    rank and the year by age, but no pupil.
    """
    listed, moved = aliased(StoredScore), sa.select(Pupil.pupil_id).where(Pupil.roll_year != Pupil.nc_year)
    on_newest = (listed.as_of == newest[0], listed.model_version == newest[1], listed.replaced_at.is_(None))

    def is_among(pupils: sa.Select[Any]) -> sa.ColumnElement[bool]:
        ranks = sa.select(listed.rank).where(listed.pupil_id.in_(pupils), *on_newest)
        return sa.and_(of.rank.in_(ranks), of.pupil_id.in_(pupils))

    by_age = sa.and_(of.nc_year == year_group, sa.not_(is_among(moved)))
    return sa.or_(by_age, is_among(moved.where(Pupil.roll_year == year_group)))


def matching(view: View, newest: tuple[date, str], chosen: Chosen) -> list[sa.ColumnElement[bool]]:
    """Restrict another list to the children who match on the newest: what is chosen now says nothing of what they were like before.

    Each child of the other list is looked up on the newest, so that few are if few are read.
    """
    now = aliased(StoredScore)
    conditions = conditions_of(chosen, newest, now)
    if not conditions:
        return []
    on_newest = (now.as_of == newest[0], now.model_version == newest[1], now.replaced_at.is_(None))
    return [
        sa.exists().where(now.pupil_id == StoredScore.pupil_id, *view.caller.children(now), *on_newest, *conditions)
    ]


def set_aside(today: date, case: type[Case] = Case) -> sa.ColumnElement[bool]:
    """Return whether an open case puts its child off, or says that the list is not for this child."""
    return sa.or_(case.dismissed_why.is_not(None), case.snoozed_until > today)


def shown(view: View, show: str, today: date) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of a view on scores, joined with their pupils and open cases."""
    if show == "mine":
        return [Case.owner == view.caller.key_id]
    # From the few children to their scores: the other way every score of the list is read.
    if show == "silent":
        child = aliased(Pupil)
        at_school = sa.select(child.pupil_id).where(*view.caller.children(child), child.urn.in_(schools(view)))
        silent = StoredScore.pupil_id.in_(sa.select(StoredSilence.pupil_id).union_all(at_school))
        # What came since a child moved away is not the old authority's.
        return [*view.caller.children(NAMED), silent]
    if show == "aside":
        case = aliased(Case)
        put_off = sa.select(case.pupil_id).where(case.closed_at.is_(None), set_aside(today, case))
        return [set_aside(today), StoredScore.pupil_id.in_(put_off)]
    return [Case.dismissed_why.is_(None), sa.or_(Case.snoozed_until.is_(None), Case.snoozed_until <= today)]
