"""Labels for many definitions of missing and many windows, from histories that are read once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import polars as pl

from features.outcome.cohort import cohort
from features.outcome.leavings import Leavings
from histories.reading.histories import Histories
from training.task import Task


class Labeller:
    """Labels for many definitions and windows; cohorts and leavings are read once.

    Parameters
    ----------
    histories : Histories
    task : Task
        Gives the cohort rule, ``until`` and the day of knowledge.

    Attributes
    ----------
    leavings : Leavings
        Those known before ``until``.
    """

    def __init__(self, histories: Histories, task: Task) -> None:
        self.histories, self.task = histories, task
        self.leavings = Leavings.read(histories, task.until)
        self._members = pl.DataFrame()
        self._days: set[date] = set()

    def prepare(self, days: Iterable[date]) -> None:
        """Compute the cohort of days in one pass; ``labels`` then finds them ready."""
        if new := sorted(set(days) - self._days):
            counted = pl.DataFrame(cohort(self.histories, new, self.task.rule, self.task.known_on))
            self._members = counted.vstack(self._members).sort("as_of", "pupil_id") if self._days else counted
            self._days |= set(new)

    def labels(self, task: Task) -> pl.DataFrame:
        """Return the labels of a task that differs in its definition, window and days; see ``Task.labels``.

        Raises
        ------
        Faults
            When no window is fully known.
        """
        days = task.days(self.histories)
        self.prepare(days)
        members = self._members.filter(pl.col("as_of").is_in(days))
        return task.labels(self.histories, members, self.leavings)
