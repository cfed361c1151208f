"""Row numbers of violations in the table's file, so that a person finds them without any value being printed."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from histories.reading.files import NUMBERED, PLACE
from histories.reading.histories import Histories
from histories.tables import TABLES

SHOWN = 10


def row_numbers(h: Histories, table: str, some: nw.LazyFrame) -> tuple[str, ...]:
    """Return the numbers of the first rows of a frame in the table's file, from 1 without the header.

    Rows are matched by the table's columns that the frame has; without any, as for a list of terms, there are no numbers.
    In a folder of files the file is named too.
    """
    columns = [c for c in TABLES[table].columns if c in some.collect_schema().names()]
    if not columns or h.engine == "spark":
        return ()
    chosen = some.select(*columns).head(SHOWN).collect(backend="polars").to_native().unique()
    return _by_duckdb(h, table, columns, chosen) if h.engine == "duckdb" else _by_polars(h, table, columns, chosen)


def _by_duckdb(h: Histories, table: str, columns: list[str], chosen: Any) -> tuple[str, ...]:
    h.connection.register("looked_for", chosen.to_arrow())
    same = " AND ".join(f'n."{c}" IS NOT DISTINCT FROM l."{c}"' for c in columns)
    rows = h.connection.execute(
        f"SELECT n.{PLACE} FROM {NUMBERED}t_{table} n SEMI JOIN looked_for l ON {same} ORDER BY length(n.{PLACE}), n.{PLACE} LIMIT {SHOWN}"
    ).fetchall()
    h.connection.unregister("looked_for")
    return tuple(row[0] for row in rows)


def _by_polars(h: Histories, table: str, columns: list[str], chosen: Any) -> tuple[str, ...]:
    whole = h.frame(table).collect(backend="polars").to_native().with_row_index(PLACE, offset=1)
    rows = whole.join(chosen, on=columns, how="semi", nulls_equal=True).sort(PLACE).head(SHOWN)
    return tuple(str(n) for n in rows[PLACE].to_list())
