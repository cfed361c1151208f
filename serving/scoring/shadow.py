"""Shadow scoring: a challenger rescores some of the champion's requests, and only counts are kept.

Each pair of scores becomes one cell of a grid of both risks in log-odds. The counts give the rank correlation and the
share of the list that would change, over all requests and workers. They hold no pupil, date of birth or school.
"""

from __future__ import annotations

import json
import logging
import queue
import random
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from features.matrix import tallied
from histories.calendar import london_day
from histories.reading.histories import Histories
from serving.scoring.live_model import LiveModel
from serving.store import Store
from serving.store.database import reading, writing
from serving.store.tables import ShadowCount
from training.explanation.score import Score
from training.risk_model import RiskModel

log = logging.getLogger("onroll.shadow")
CELLS, LOWEST, HIGHEST = 320, -10.0, 10.0  # of log-odds: a cell is 0.0625 wide
QUEUE_SIZE = 2  # requests that may wait; further ones are skipped
LIST = 0.05  # share of the pupils on a list


@dataclass(frozen=True)
class Waiting:
    """A request that the champion has answered and the challenger has not."""

    histories: Histories
    as_of: date
    champion: str
    risks: dict[str, float]


class Shadow:
    """Rescores some requests with the challenger in the background, one at a time.

    Parameters
    ----------
    challenger : LiveModel
    store : Store
    share : float
        Share of the requests to rescore.
    """

    def __init__(self, challenger: LiveModel, store: Store, share: float) -> None:
        self.challenger, self.store, self.share = challenger, store, share
        self._queue: queue.Queue[Waiting | None] = queue.Queue(QUEUE_SIZE)

    def offer(self, histories: Histories, as_of: date, scores: Sequence[Score]) -> None:
        """Queue a request if there is a challenger, the request is sampled and the queue has room."""
        if self.challenger.current is None or not scores or random.random() >= self.share:  # nosec B311 # a sample
            return
        risks = {s.pupil_id: s.risk for s in scores}
        with suppress(queue.Full):
            self._queue.put_nowait(Waiting(histories, as_of, scores[0].model_version, risks))

    def watch(self) -> None:
        """Start scoring queued requests in a background thread."""
        if self.share > 0:
            self.challenger.watch()
            threading.Thread(target=self._work, name="shadow", daemon=True).start()

    def stop(self) -> None:
        """Stop after the current request."""
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
        """Score one request with the challenger, and count the differences."""
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
    """Return the risk of every pupil in the cohort, without reasons."""
    frame = tallied(histories, [as_of])
    x = frame.select(model.manifest.features).to_numpy().astype(np.float64)
    return dict(zip(frame["pupil_id"].to_list(), model.risk(model.scorer.margins(x)).tolist(), strict=True))


def counted(champion: str, challenger: str, both: np.ndarray) -> dict[str, Any]:
    """Return the database row that counts pairs of risks, an array of shape (pupils, 2)."""
    clipped = np.clip(both, 1e-9, 1 - 1e-9)
    position = (np.log(clipped / (1 - clipped)) - LOWEST) / (HIGHEST - LOWEST) * CELLS
    cells = Counter(map(tuple, np.clip(position, 0, CELLS - 1).astype(int).tolist()))
    return {
        "counted_at": datetime.now(UTC),
        "champion": champion,
        "challenger": challenger,
        "pupils": len(both),
        "difference": float((both[:, 1] - both[:, 0]).sum()),
        "cells": json.dumps([[*cell, n] for cell, n in sorted(cells.items())]),
    }


def differences(store: Store) -> list[dict[str, Any]]:
    """Return how each challenger's scores differ from the champion's, by pair of versions.

    Returns
    -------
    list of dict
        ``champion``, ``challenger``, ``since``, ``pupils`` scored by both, ``rank_correlation`` (Spearman's; null when one of
        them is constant), ``list_changes`` (a lower bound of the share of the top 5% that the other model would not list),
        and ``mean_risk_difference`` (challenger minus champion). Risks within 0.0625 log-odds count as equal.
    """
    with reading(store.engine) as connection:
        rows = connection.execute(sa.select(ShadowCount.__table__).order_by(ShadowCount.count_id)).all()
    pairs = []
    for pair in dict.fromkeys((r.champion, r.challenger) for r in rows):
        counts = [r for r in rows if (r.champion, r.challenger) == pair]
        table = np.zeros((CELLS, CELLS))
        for row in counts:
            for i, j, n in json.loads(row.cells):
                table[i, j] += n
        pupils = sum(r.pupils for r in counts)
        pairs.append(
            {
                "champion": pair[0],
                "challenger": pair[1],
                "since": london_day(counts[0].counted_at).isoformat(),
                "pupils": pupils,
                "rank_correlation": rank_correlation(table),
                "list_changes": list_changes(table),
                "mean_risk_difference": sum(r.difference for r in counts) / pupils,
            }
        )
    return pairs


def rank_correlation(table: np.ndarray) -> float | None:
    """Return Spearman's correlation of pairs counted in a grid; pairs in one row or column are tied."""
    n = table.sum()
    first, second = (_mid_ranks(table.sum(axis=axis)) - (n + 1) / 2 for axis in (1, 0))
    spread = (table.sum(axis=1) @ first**2) * (table.sum(axis=0) @ second**2)
    return float(first @ table @ second / np.sqrt(spread)) if spread > 0 else None


def _mid_ranks(counts: np.ndarray) -> np.ndarray:
    return np.cumsum(counts) - (counts - 1) / 2


def list_changes(table: np.ndarray, share: float = LIST) -> float:
    """Return a lower bound of the share of the top by rows that is not in the top by columns."""
    size = table.sum() * share
    rows, columns = (_listed(table.sum(axis=axis), size) for axis in (1, 0))
    kept = (table * np.minimum(rows[:, None], columns[None, :])).sum()
    return float(max(0.0, 1 - kept / size))


def _listed(counts: np.ndarray, size: float) -> np.ndarray:
    """Return the share of each cell that is on the list, filled from the highest cell down."""
    above = np.cumsum(counts[::-1])[::-1] - counts
    return np.clip((size - above) / np.maximum(counts, 1), 0, 1)
