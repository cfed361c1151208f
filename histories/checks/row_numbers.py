"""Where rows stand in the file of their table, so that a person finds them without anything of them being printed."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from histories.reading.files import NUMBERED, PLACE
from histories.reading.histories import Histories
from histories.tables import TABLES

SHOWN = 10


def row_numbers(h: Histories, table: str, some: nw.LazyFrame) -> tuple[str, ...]:
    """Return where the first rows of a frame stand in the file of a table, counted from 1 without the header.

    The rows are known by the table's columns that the frame still has; none are found where it has none, such as a list of terms.
    Of a folder of files the file is named too.
    """
    columns = [c for c in TABLES[table].columns if c in some.collect_schema().names()]
    if not columns or h.engine == "spark":
        return ()
    chosen = some.select(*columns).head(SHOWN).collect(backend="polars").to_native().unique()
    return _by_duckdb(h, table, columns, chosen) if h.engine == "duckdb" else _by_polars(h, table, columns, chosen)


def _by_duckdb(h: Histories, table: str, columns: list[str], chosen: Any) -> tuple[str, ...]:
    h.connection.register("looked_for", chosen.to_arrow())
    same = " AND ".join(f'n."{c}" IS NOT DISTINCT FROM l."{c}"' for c in columns)
    found = h.connection.execute(
        f"SELECT n.{PLACE} FROM {NUMBERED}t_{table} n SEMI JOIN looked_for l ON {same} ORDER BY length(n.{PLACE}), n.{PLACE} LIMIT {SHOWN}"
    ).fetchall()
    h.connection.unregister("looked_for")
    return tuple(row[0] for row in found)


def _by_polars(h: Histories, table: str, columns: list[str], chosen: Any) -> tuple[str, ...]:
    whole = h.frame(table).collect(backend="polars").to_native().with_row_index(PLACE, offset=1)
    found = whole.join(chosen, on=columns, how="semi", nulls_equal=True).sort(PLACE).head(SHOWN)
    return tuple(str(n) for n in found[PLACE].to_list())
