"""Train models in parallel, one thread each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from training.fitting.candidates.boosted import ALL_PROCESSORS

MAX = 4  # jobs at a time; each has its own rows in memory
Made = TypeVar("Made")


def in_parallel(jobs: Sequence[Callable[[], Made]], rows: int) -> Iterator[Made]:
    """Run independent jobs and yield their results in order.

    Only for models that come out the same under concurrency: LightGBM does, and a ridge regression is rounded.

    Parameters
    ----------
    jobs : sequence of callable
    rows : int
        Training rows of each; with many a booster uses every processor, and they run one after another.
    """
    if rows >= ALL_PROCESSORS:
        yield from (job() for job in jobs)
        return
    with ThreadPoolExecutor(min(len(os.sched_getaffinity(0)), MAX)) as workers:
        yield from workers.map(lambda job: job(), jobs)
