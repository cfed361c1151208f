"""How long a training run still takes: the work that is known to remain, at what such work has cost in this run."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable

import polars as pl

from training.fitting.candidates import Candidate
from training.fitting.rolling_origin import together
from training.fitting.splits import Splits
from training.fitting.uncertainty import DRAWN, MODELS

# Seconds that a row usually takes. Only their ratios count, once this run has done anything; and only for work that it has not done yet.
USUAL = {
    "features": 5e-5,
    "base_rate": 1e-6,
    "best_single": 1e-5,
    "checklist": 1e-6,
    "surroundings": 2e-5,
    "ridge": 5e-5,
    "lightgbm_free, lightgbm": 1e-4,
    "lightgbm": 5e-5,
    "weighted_mean": 1e-4,
    "mean": 1e-4,
    "judging": 1e-4,
}
Work = tuple[str, float]  # its kind, such as a candidate's name, and its number of rows


class Pace:
    """A progress callback that adds to every step how long the rest takes.

    Parameters
    ----------
    advance : callable
        Takes ``steps``, ``description`` and ``left``, in seconds; None if it is not known what remains.
    clock : callable
        Returns seconds.
    """

    def __init__(self, advance: Callable[..., None], clock: Callable[[], float] = time.monotonic) -> None:
        self._advance, self._clock = advance, clock
        self._ahead: list[Work] = []
        self._rows: dict[str, float] = defaultdict(float)
        self._seconds: dict[str, float] = defaultdict(float)
        self._now: tuple[Work, float] | None = None

    def expect(self, work: Iterable[Work]) -> None:
        """Replace what is still to come; what has begun is no longer part of it."""
        self._ahead = list(work)

    def __call__(self, steps: int = 1, description: str | None = None, work: Work | None = None) -> None:
        """Tell a step; with ``work``, the work before it has ended and this begins."""
        if work is not None:
            self.end()
            self._now = work, self._clock()
            ahead = [number for number, (kind, _) in enumerate(self._ahead) if kind == work[0]]
            del self._ahead[: ahead[0] + 1 if ahead else 0]  # whatever stood before it was not needed
        self._advance(steps, description=description, left=self.left)

    def end(self) -> None:
        """Count the work that was begun as done."""
        if self._now is not None:
            (kind, rows), begun = self._now
            self._rows[kind] += rows
            self._seconds[kind] += self._clock() - begun
            self._now = None

    @property
    def left(self) -> float | None:
        """Seconds until all is done; None if nothing is expected."""
        if self._now is None and not self._ahead:
            return None
        left = sum(map(self._cost, self._ahead))
        if self._now is not None:
            work, begun = self._now
            left += max(self._cost(work) - (self._clock() - begun), 0.0)
        return left

    def _cost(self, work: Work) -> float:
        kind, rows = work
        if self._rows[kind]:
            return rows * self._seconds[kind] / self._rows[kind]
        usually = sum(n * USUAL.get(done, 0.0) for done, n in self._rows.items())
        slower = sum(self._seconds[done] for done in self._rows if done in USUAL) / usually if usually else 1.0
        return rows * USUAL.get(kind, 0.0) * slower


def work_of_training(labels: pl.DataFrame, splits: Splits, candidates: list[Candidate]) -> list[Work]:
    """Return what a run does once it has its labels, in order: features, every candidate at every origin, judging and the final model.

    Which candidate will be chosen is not known before: the ridge, which it usually is, stands for it.

    Parameters
    ----------
    labels : polars.DataFrame
        With ``as_of``, a row for each snapshot to learn from or to predict.
    """
    of_day = dict(labels.group_by("as_of").len().iter_rows())
    work: list[Work] = [("features", len(labels))]
    for origin in splits.origins:
        rows = sum(of_day.get(day, 0) for day in (*origin.learned, *origin.partly))
        work += [(kind, rows) for kind, _ in together(candidates)]
    judged = sum(of_day.get(origin.day, 0) for origin in splits.origins)
    return [*work, ("judging", judged), *work_of_the_model("ridge", len(labels))]


def work_of_the_model(name: str, rows: int) -> list[Work]:
    """Return the work on the chosen candidate: the final model, and those of resamples."""
    return [(name, rows), *[(name, DRAWN * rows)] * MODELS]
