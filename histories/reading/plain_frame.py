"""A frame of plain lists with the Narwhals methods that features use; see ``histories.reading.plain_expressions``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import narwhals as nw

from histories.reading.plain_expressions import Column, evaluate


class PlainFrame:
    """Columns of equal length.

    Its methods behave like those of ``narwhals.LazyFrame``, but are eager. Rows keep their order; joins keep that of the left
    frame.
    """

    def __init__(self, data: dict[str, Column], height: int) -> None:
        self.data, self.height = data, height

    @property
    def columns(self) -> list[str]:
        """Return the column names."""
        return list(self.data)

    def __len__(self) -> int:
        return self.height

    def __getitem__(self, column: str) -> Column:
        return self.data[column]

    def filter(self, *conditions: nw.Expr) -> PlainFrame:
        """Keep the rows for which every condition is true."""
        kept = list(range(self.height))
        for condition in conditions:
            true = evaluate(condition, self.data, self.height)[1]
            kept = [i for i in kept if true[i]]
        return self if len(kept) == self.height else self._rows(kept)

    def with_columns(self, *expressions: Any) -> PlainFrame:
        """Add or replace columns."""
        return PlainFrame(self.data | dict(self._values(expressions)), self.height)

    def select(self, *expressions: Any) -> PlainFrame:
        """Return the given columns only; a frame of aggregations has one row."""
        data = dict(self._values(expressions))
        return PlainFrame(data, len(next(iter(data.values()))) if data else self.height)

    def drop(self, *columns: Any, strict: bool = True) -> PlainFrame:
        """Return the frame without some columns."""
        gone = {*_flat(columns)}
        return PlainFrame({n: v for n, v in self.data.items() if n not in gone}, self.height)

    def rename(self, names: dict[str, str]) -> PlainFrame:
        """Rename columns."""
        return PlainFrame({names.get(n, n): v for n, v in self.data.items()}, self.height)

    def join(
        self, other: PlainFrame, on: str | Sequence[str] | None = None, how: str = "inner", suffix: str = "_right"
    ) -> PlainFrame:
        """Join on equal keys; null keys match nothing."""
        keys = [on] if isinstance(on, str) else list(on or ())
        if how == "cross":
            pairs: list[tuple[int, int | None]] = [(i, j) for i in range(self.height) for j in range(other.height)]
        else:
            of_key: dict[tuple[Any, ...], list[int]] = {}
            for j, key in enumerate(other._tuples(keys)):
                of_key.setdefault(key, []).append(j)
            matches = [() if None in key else of_key.get(key, ()) for key in self._tuples(keys)]
            if how in ("semi", "anti"):
                return self._rows([i for i, rows in enumerate(matches) if bool(rows) == (how == "semi")])
            no_match = (None,) if how == "left" else ()
            pairs = [(i, j) for i, rows in enumerate(matches) for j in (rows or no_match)]
        left = dict(self._rows([i for i, _ in pairs]).data)
        places = [j for _, j in pairs]
        for name, values in other.data.items():
            if name not in keys:
                taken = [None if j is None else values[j] for j in places]
                left[f"{name}{suffix}" if name in self.data else name] = taken
        return PlainFrame(left, len(pairs))

    def unique(
        self, subset: str | Sequence[str] | None = None, *, keep: str = "any", order_by: Sequence[str] | None = None
    ) -> PlainFrame:
        """Keep one row for each key: the first or the last by ``order_by``, nulls first."""
        if subset is None:
            subset = self.columns
        keys = [subset] if isinstance(subset, str) else list(subset)
        tuples = self._tuples(keys)
        counts = Counter(tuples)
        if len(counts) == self.height:
            return self
        columns = [self.data[c] for c in order_by or ()]
        several = [i for i, key in enumerate(tuples) if counts[key] > 1]  # few: most rows were never corrected
        if columns:
            several.sort(key=lambda i: [(c[i] is not None, c[i]) for c in columns])
        chosen: dict[tuple[Any, ...], int] = {}
        for i in several:
            if keep == "last" or tuples[i] not in chosen:
                chosen[tuples[i]] = i
        alone = [i for i, key in enumerate(tuples) if counts[key] == 1]
        return self._rows(sorted([*alone, *chosen.values()]))

    def sort(self, *by: str) -> PlainFrame:
        """Sort in ascending order, nulls first."""
        columns = [self.data[c] for c in by]
        return self._rows(sorted(range(self.height), key=lambda i: [(c[i] is not None, c[i]) for c in columns]))

    def group_by(self, *keys: Any) -> PlainGroups:
        """Group the rows by key."""
        return PlainGroups(self, _flat(keys))

    def rows(self, *, named: bool) -> list[dict[str, Any]]:
        """Return the rows as dictionaries; ``named`` is there for compatibility with Polars."""
        return [dict(zip(self.data, row, strict=True)) for row in self._tuples(self.columns)]

    def _values(self, expressions: Iterable[Any]) -> Iterable[tuple[str, Column]]:
        for e in _flat(expressions):
            yield (e, self.data[e]) if isinstance(e, str) else evaluate(e, self.data, self.height)

    def _tuples(self, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        return list(zip(*(self.data[c] for c in columns), strict=True)) if columns else [()] * self.height

    def _rows(self, kept: list[int]) -> PlainFrame:
        if len(kept) == self.height and kept == list(range(self.height)):
            return self  # as most joins leave it
        return PlainFrame({n: [v[i] for i in kept] for n, v in self.data.items()}, len(kept))


class PlainGroups:
    """A frame grouped by key."""

    def __init__(self, frame: PlainFrame, keys: list[str]) -> None:
        self.frame, self.keys = frame, keys

    def agg(self, *expressions: Any) -> PlainFrame:
        """Return one row for each key, in order of first appearance."""
        groups: dict[tuple[Any, ...], list[int]] = {}
        for i, key in enumerate(self.frame._tuples(self.keys)):
            groups.setdefault(key, []).append(i)
        data: dict[str, Column] = {k: [key[n] for key in groups] for n, k in enumerate(self.keys)}
        rows = list(groups.values())
        data |= dict(evaluate(e, self.frame.data, self.frame.height, rows) for e in _flat(expressions))
        return PlainFrame(data, len(groups))


def _flat(given: Iterable[Any]) -> list[Any]:
    return list(chain.from_iterable([g] if isinstance(g, str | nw.Expr) else g for g in given))
