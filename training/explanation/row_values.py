"""Numbers of snapshots: as a matrix, row by row, and which of them the training never saw.

Polars plans what it selects by expressions, which for one row takes many times as long as to look at its values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

ROWS = 10_000  # whose values are compared at a time, which bounds memory
NONE = (np.inf, -np.inf)  # no value lies between


def matrix_of(frame: pl.DataFrame, names: list[str]) -> np.ndarray:
    """Return columns as numbers, missing as NaN."""
    return frame[names].to_numpy().astype(np.float64)


def numbers_of(frame: pl.DataFrame) -> Iterator[dict[str, float | None]]:
    """Yield the numbers of each row by name."""
    names = [name for name, kind in frame.schema.items() if kind.is_numeric()]
    for row in frame[names].iter_rows():
        yield {n: None if v is None or v != v else float(v) for n, v in zip(names, row, strict=True)}


class TrainingRanges:
    """The values of each feature that the training saw.

    Parameters
    ----------
    seen : mapping
        See ``Manifest``: the least and the largest value, None if it had none, and the share of missing ones.
    """

    def __init__(self, seen: Mapping[str, Sequence[float | None]]) -> None:
        self.names = list(seen)
        limits = [NONE if low is None or high is None else (low, high) for low, high, _ in seen.values()]
        self.low, self.high = np.array(limits, np.float64).reshape(-1, 2).T
        self.never_missing = np.array([missing == 0.0 for *_, missing in seen.values()], bool)

    def unseen(self, frame: pl.DataFrame) -> list[list[str]]:
        """Return of each row the features whose value lies outside the training range, or is missing but never was in training."""
        found: list[list[str]] = [[] for _ in range(len(frame))]
        columns = set(frame.columns)
        there = np.array([name in columns for name in self.names], bool)
        for start in range(0, len(frame) if self.names else 0, ROWS):
            rows = frame[start : start + ROWS]
            x = np.full((len(rows), len(self.names)), np.nan)
            if there.any():
                x[:, there] = matrix_of(rows, [name for name in self.names if name in columns])
            inside = (self.low <= x) & (x <= self.high)
            unseen = np.where(np.isnan(x), self.never_missing, ~inside)
            for row, of in zip(*(places.tolist() for places in np.nonzero(unseen)), strict=True):
                found[start + row].append(self.names[of])
        return found
