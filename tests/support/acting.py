"""Working on a store as one of its users: a change, a look, and the name that addresses have for a child."""

import sqlalchemy as sa

from serving.store.database import reading
from serving.store.tables import Pupil


def ref(store, pupil):
    """Return the name of a pupil in addresses."""
    with reading(store.engine) as connection:
        return connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == pupil))


def do(store, caller, work, *arguments, **named):
    """Do one piece of work in one change by a caller."""
    with store.change(caller) as change:
        return work(change, *arguments, **named)


def look(store, caller, work, *arguments, **named):
    """Look at something as a caller; the look is recorded."""
    with store.view(caller) as view:
        view.record("test.seen")
        return work(view, *arguments, **named)
