"""Collect marks into the register of some children, batch by batch, in any order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Mapping

import numpy as np

from features.attendance.packing import Marks, pack
from features.attendance.walk import Register
from histories.reading.marks import MarkBatch


class MarkCollector:
    """The register of some children while marks come in.

    Parameters
    ----------
    pupils : iterable of str
        The children, each once.
    days : range
        Day numbers; marks of other days, and of other children, are left out.
    numbers : mapping
        The number of each code; any other has the next.
    """

    def __init__(self, pupils: Iterable[str], days: range, numbers: Mapping[str, int]) -> None:
        self.rows = {pupil: row for row, pupil in enumerate(pupils)}
        self.days, self.numbers = days, numbers
        self.sessions = np.zeros((len(self.rows), 2 * len(days)), np.uint8)
        self._several: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        # Of the newest row groups, as many as threads may decode at once.
        self._asked: deque[tuple[list[str], np.ndarray]] = deque(maxlen=2 * (os.cpu_count() or 1))

    def take(self, batch: MarkBatch) -> None:
        """Add marks."""
        marks = Marks(
            pupil=batch.pupil.places,
            session=batch.session.places,
            code=batch.code.places,
            row_of=self._rows_of(batch.pupil.values),
            half_of=np.array([session == "PM" for session in batch.session.values], np.uint8),
            number_of=np.array([self.numbers.get(c, len(self.numbers)) for c in batch.code.values], np.uint8),
            date=batch.date,
            known=batch.known,
        )
        self._several.append(pack(self.sessions, self.days.start, marks))

    def _rows_of(self, pupils: list[str]) -> np.ndarray:
        """Return the row of each pupil, -1 for others; the batches of a row group ask for the same list."""
        known = next((rows for values, rows in self._asked if values is pupils), None)
        if known is None:
            known = np.array([self.rows.get(pupil, -1) for pupil in pupils], np.int32)
            self._asked.append((pupils, known))
        return known

    def register(self) -> Register:
        """Return the register with all marks so far."""
        none = (np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.uint8))
        keys, recorded, code = (np.concatenate(column) for column in zip(none, *self._several, strict=True))
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        starts = np.searchsorted(keys, np.arange(len(self.rows) + 1) * self.sessions.shape[1])
        return Register(
            sessions=self.sessions,
            first=self.days.start,
            keys=keys,
            recorded=recorded[order],
            code=code[order],
            starts=starts,
        )
