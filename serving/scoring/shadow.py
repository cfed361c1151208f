"""A challenger scores in the shadow of the champion: what it would have said is counted, and nobody is named.

What is kept of a pair of scores is one cell of a grid of both risks in log-odds. From the counts of the cells come the rank
correlation and how much of the list would change, over all requests and workers together, without a pupil, a day of birth or a
school in sight.
"""

from __future__ import annotations

import json
import logging
import queue
import random
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from features.matrix import tallied
from histories.reading.histories import Histories
from serving.scoring.live_model import LiveModel
from serving.store import Store
from serving.store.database import reading, writing
from serving.store.tables import ShadowCount
from training.explanation.score import Score
from training.risk_model import RiskModel

log = logging.getLogger("onroll.shadow")
CELLS, LOWEST, HIGHEST = 320, -10.0, 10.0  # of log-odds: a cell is 0.0625 wide
WAITING = 2  # requests that wait to be scored again; more are left out, since the shadow must not grow
LIST = 0.05  # share of the pupils that a list is taken to hold


@dataclass(frozen=True)
class Waiting:
    """A request that the champion has answered."""

    histories: Histories
    as_of: date
    champion: str
    risks: dict[str, float]


class Shadow:
    """Scores some requests again with the challenger, one at a time and off their path.

    Parameters
    ----------
    challenger : LiveModel
    store : Store
    share : float
        Share of the requests that are scored again.
    """

    def __init__(self, challenger: LiveModel, store: Store, share: float) -> None:
        self.challenger, self.store, self.share = challenger, store, share
        self._queue: queue.Queue[Waiting | None] = queue.Queue(WAITING)

    def offer(self, histories: Histories, as_of: date, scores: list[Score]) -> None:
        """Take a request to score again, if there is a challenger, its turn comes and the queue is not full."""
        if self.challenger.current is None or not scores or random.random() >= self.share:
            return
        risks = {s.pupil_id: s.risk for s in scores}
        with suppress(queue.Full):
            self._queue.put_nowait(Waiting(histories, as_of, scores[0].model_version, risks))

    def watch(self) -> None:
        """Begin to score what is offered, in a thread of its own."""
        if self.share > 0:
            self.challenger.watch()
            threading.Thread(target=self._work, name="shadow", daemon=True).start()

    def stop(self) -> None:
        """End when what is in hand is done."""
        self.challenger.stop()
        with suppress(queue.Full):
            self._queue.put_nowait(None)

    def _work(self) -> None:
        while (waiting := self._queue.get()) is not None:
            try:
                self.score(waiting)
            except Exception:
                log.exception("a request could not be scored by the challenger")

    def score(self, waiting: Waiting) -> None:
        """Score one request with the challenger and count how the two differ."""
        challenger = self.challenger.current
        if challenger is None or challenger.manifest.version == waiting.champion:
            return
        other = risks(challenger, waiting.histories, waiting.as_of)
        both = [(risk, other[pupil]) for pupil, risk in waiting.risks.items() if pupil in other]
        if both:
            with writing(self.store.engine) as connection:
                connection.execute(
                    sa.insert(ShadowCount), counted(waiting.champion, challenger.manifest.version, np.array(both))
                )


def risks(model: RiskModel, histories: Histories, as_of: date) -> dict[str, float]:
    """Return the risk of every pupil of the cohort, without reasons."""
    frame = tallied(histories, [as_of])
    x = frame.select(model.manifest.features).to_numpy().astype(np.float64)
    return dict(zip(frame["pupil_id"].to_list(), model.risk(model.tables.margins(x)).tolist(), strict=True))


def counted(champion: str, challenger: str, both: np.ndarray) -> dict[str, Any]:
    """Return the row that keeps pairs of risks (pupils, 2)."""
    held = np.clip(both, 1e-9, 1 - 1e-9)
    place = (np.log(held / (1 - held)) - LOWEST) / (HIGHEST - LOWEST) * CELLS
    cells = Counter(map(tuple, np.clip(place, 0, CELLS - 1).astype(int).tolist()))
    return {
        "counted_at": datetime.now(UTC),
        "champion": champion,
        "challenger": challenger,
        "pupils": len(both),
        "difference": float((both[:, 1] - both[:, 0]).sum()),
        "cells": json.dumps([[*cell, n] for cell, n in sorted(cells.items())]),
    }


def differences(store: Store) -> list[dict[str, Any]]:
    """Return how the challengers' scores differ from the champions', for each pair of versions that met.

    Returns
    -------
    list of dict
        ``champion``, ``challenger``, ``since``, ``pupils`` scored by both, ``rank_correlation`` (Spearman's; null when one of
        them says the same of all), ``list_changes`` (share of a list of the highest 5% that the other model would not put
        there, at the least), and ``mean_risk_difference`` (challenger less champion). Risks within 0.0625 log-odds count as equal.
    """
    with reading(store.engine) as connection:
        rows = connection.execute(sa.select(ShadowCount.__table__).order_by(ShadowCount.count_id)).all()
    found = []
    for pair in dict.fromkeys((r.champion, r.challenger) for r in rows):
        mine = [r for r in rows if (r.champion, r.challenger) == pair]
        table = np.zeros((CELLS, CELLS))
        for row in mine:
            for i, j, n in json.loads(row.cells):
                table[i, j] += n
        pupils = sum(r.pupils for r in mine)
        found.append(
            {
                "champion": pair[0],
                "challenger": pair[1],
                "since": mine[0].counted_at.date().isoformat(),
                "pupils": pupils,
                "rank_correlation": rank_correlation(table),
                "list_changes": list_changes(table),
                "mean_risk_difference": sum(r.difference for r in mine) / pupils,
            }
        )
    return found


def rank_correlation(table: np.ndarray) -> float | None:
    """Return Spearman's correlation of pairs counted in a grid; pairs in one row or column are ties."""
    n = table.sum()
    first, second = (_mid_ranks(table.sum(axis=axis)) - (n + 1) / 2 for axis in (1, 0))
    spread = (table.sum(axis=1) @ first**2) * (table.sum(axis=0) @ second**2)
    return float(first @ table @ second / np.sqrt(spread)) if spread > 0 else None


def _mid_ranks(counts: np.ndarray) -> np.ndarray:
    return np.cumsum(counts) - (counts - 1) / 2


def list_changes(table: np.ndarray, share: float = LIST) -> float:
    """Return the share of the highest by the rows that are not among the highest by the columns, at the least."""
    size = table.sum() * share
    rows, columns = (_listed(table.sum(axis=axis), size) for axis in (1, 0))
    kept = (table * np.minimum(rows[:, None], columns[None, :])).sum()
    return float(max(0.0, 1 - kept / size))


def _listed(counts: np.ndarray, size: float) -> np.ndarray:
    """Return which part of each cell belongs to the list when it is filled from the highest cell down."""
    above = np.cumsum(counts[::-1])[::-1] - counts
    return np.clip((size - above) / np.maximum(counts, 1), 0, 1)
