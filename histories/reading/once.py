"""Each pupil, school and area once, where its table holds it twice: one rule for scores, outcomes, groups, checks and duties."""

from __future__ import annotations

import narwhals as nw

from histories.reading.as_of import correction_order, where_repeated
from histories.reading.histories import Histories
from histories.tables import TABLES


def once(histories: Histories, table: str) -> nw.LazyFrame:
    """Return one row for each key of a table; of several the last by value, since neither files nor engines have an order of rows."""
    declared = TABLES[table]

    def last(rows: nw.LazyFrame) -> nw.LazyFrame:
        return rows.unique(subset=list(declared.key), keep="last", order_by=correction_order(declared))

    rows = histories.frame(table)
    return where_repeated(histories, table, (), rows, last) if declared.key == ("pupil_id",) else last(rows)
