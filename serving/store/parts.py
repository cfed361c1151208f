"""Parts of long tables, one page at a time: each begins after, or ends before, a row that the page before it showed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from serving.store.unit_of_work import View


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some rows of an ordered table, and whether there are others.

    Attributes
    ----------
    rows : list of dict
    earlier, later : bool
        Whether rows come before the first or after the last of these.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    earlier: bool = False
    later: bool = False


@dataclass(frozen=True)
class Position:
    """Where a part begins, or ends.

    Attributes
    ----------
    row : str
        The row's name in addresses, which is random.
    backwards : bool
        Whether the part ends before the row, not begins after it.
    """

    row: str
    backwards: bool = False


def part_of(
    view: View,
    query: sa.Select[Any],
    order: Sequence[sa.ColumnElement[Any]],
    most: int,
    *,
    at: Sequence[Any] | None = None,
    backwards: bool = False,
) -> Part:
    """Return a part of a query's rows; where no row comes after its beginning any more, the last part.

    Parameters
    ----------
    order : sequence of column
        Together they name one row, and are never null.
    most : int
    at : sequence, optional
        The values of ``order`` of the row after which the part begins; by default it is the first part.
    backwards : bool
        The part ends before that row, or by default at the last row.
    """
    part = query.order_by(*((c.desc() for c in order) if backwards else order)).limit(most + 1)
    if at is not None:
        here = sa.tuple_(*(sa.literal(value, c.type) for value, c in zip(at, order, strict=True)))
        part = part.where(sa.tuple_(*order) < here if backwards else sa.tuple_(*order) > here)
    rows = [dict(row) for row in view.connection.execute(part).mappings()]
    is_cut, rows = len(rows) > most, rows[:most]
    if backwards and at is None:
        return Part(rows=rows[::-1], earlier=is_cut)
    if not backwards and not rows and at is not None:  # what stood there was done meanwhile
        return part_of(view, query, order, most, backwards=True)
    if not backwards:
        return Part(rows=rows, earlier=at is not None, later=is_cut)
    if not is_cut:  # the first part again, and whole
        return part_of(view, query, order, most)
    return Part(rows=rows[::-1], earlier=True, later=True)


def part_of_rows(
    rows: Sequence[dict[str, Any]],
    name_of: Callable[[dict[str, Any]], str],
    most: int,
    position: Position | None = None,
) -> Part:
    """Return a part of rows that are all read already; see ``part_of``. A position that names none of them is the beginning."""
    names = [name_of(row) for row in rows]
    at = names.index(position.row) if position and position.row in names else None
    first = 0
    if position and at is not None:
        first = max(at - most, 0) if position.backwards else at + 1
        first = max(len(rows) - most, 0) if first >= len(rows) else first
    part = list(rows[first : first + most])
    return Part(rows=part, earlier=first > 0, later=first + most < len(rows))
