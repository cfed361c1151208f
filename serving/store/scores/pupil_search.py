"""Search for one pupil by the local reference, within the caller's scope."""

from __future__ import annotations

import sqlalchemy as sa

from serving.store.tables import Pupil
from serving.store.unit_of_work import View


def find_pupil(view: View, reference: str) -> str | None:
    """Return the random reference of the pupil whose key was typed, in capitals or not; None outside the caller's scope."""
    typed = reference.strip()
    spellings = {typed, typed.upper(), typed.lower()}
    query = sa.select(Pupil.pupil_id, Pupil.pupil_ref).where(
        Pupil.pupil_id.in_(spellings), *view.caller.children(Pupil)
    )
    row = view.connection.execute(query.limit(1)).one_or_none()
    pupils, withheld = ([row.pupil_id], []) if row else ([], [typed])
    view.record("pupil.searched", pupils=pupils, withheld=view.references(withheld))
    return row.pupil_ref if row else None
