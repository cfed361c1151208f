"""Duties of children of a trial: whoever has one is helped now, whatever the arm."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from histories.calendar import london_day
from serving.store.cases.casework_tables import StoredDeadline
from serving.store.trials.tables import TrialAllocation
from serving.store.unit_of_work import View

DAY = timedelta(days=1)


def due(view: View, before: date | None = None) -> dict[str, date]:
    """Return when the first duty that runs is due, by child; only of duties that began before a day, if one is given. The calling code records the view."""
    first = sa.func.min(StoredDeadline.due_on)
    running = sa.select(StoredDeadline.pupil_id, first).where(StoredDeadline.stopped_at.is_(None))
    running = running.where(StoredDeadline.started_on < before) if before else running
    rows = view.connection.execute(running.group_by(StoredDeadline.pupil_id))
    return {row[0]: row[1] for row in rows}


def ran(view: View, name: str, first: date, until: date) -> list[tuple[str, date, date]]:
    """Return the child, the due day and the last day of each duty that ran in a trial after its first day and before ``until``, whether it still runs or not.

    Those of the first day are recorded when the trial starts. The calling code records the view.
    """
    columns = (StoredDeadline.pupil_id, StoredDeadline.due_on, StoredDeadline.stopped_at)
    query = (
        sa.select(*columns)
        .join(TrialAllocation, TrialAllocation.pupil_id == StoredDeadline.pupil_id)
        .where(TrialAllocation.trial == name, StoredDeadline.started_on < until)
    )
    found = []
    for pupil, due_on, stopped_at in view.connection.execute(query):
        last = min(london_day(stopped_at) if stopped_at else until, until - DAY)
        if last > first:
            found.append((pupil, due_on, last))
    return found
