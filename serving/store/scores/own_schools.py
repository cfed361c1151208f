"""The schools of the children whom a caller sees."""

from __future__ import annotations

import sqlalchemy as sa

from serving.store.tables import Pupil
from serving.store.unit_of_work import View


def own_schools(view: View) -> list[str]:
    """Return the schools of the children of the caller's scope.

    From one school to the next through the index: to read every child for the few schools took longer than all the rest of a page.
    """
    # Children who were never on a roll have no school, and others left one of another authority.
    here = [*view.caller.children(Pupil), Pupil.urn != "", Pupil.left_from.is_(None)]
    if view.caller.urns or not view.caller.one_authority:
        return list(view.connection.scalars(sa.select(Pupil.urn).where(*here).distinct().order_by(Pupil.urn)))
    first = sa.select(Pupil.urn).where(*here).order_by(Pupil.urn).limit(1)
    schools = sa.select(first.scalar_subquery().label("urn")).cte("own_schools", recursive=True)
    following = sa.select(Pupil.urn).where(*here, Pupil.urn > schools.c.urn).order_by(Pupil.urn).limit(1)
    schools = schools.union_all(sa.select(following.scalar_subquery()).where(schools.c.urn.is_not(None)))
    return list(view.connection.scalars(sa.select(schools.c.urn).where(schools.c.urn.is_not(None))))
