"""Parts of long tables, one page at a time: each begins after, or ends before, a row that the page before it showed."""

from __future__ import annotations

from collections.abc import Sequence
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
    """Return a part of a query's rows.

    Parameters
    ----------
    order : sequence of column
        Together they name one row, and are never null.
    most : int
    at : sequence, optional
        The values of ``order`` of the row after which the part begins; by default it is the first part.
    backwards : bool
        The part ends before that row.
    """
    part = query.order_by(*((c.desc() for c in order) if backwards else order)).limit(most + 1)
    if at is not None:
        here = sa.tuple_(*(sa.literal(value, c.type) for value, c in zip(at, order, strict=True)))
        part = part.where(sa.tuple_(*order) < here if backwards else sa.tuple_(*order) > here)
    rows = [dict(row) for row in view.connection.execute(part).mappings()]
    is_cut, rows = len(rows) > most, rows[:most]
    if not backwards:
        return Part(rows=rows, earlier=at is not None, later=is_cut)
    if not is_cut:  # the first part again, and whole
        return part_of(view, query, order, most)
    return Part(rows=rows[::-1], earlier=True, later=True)
