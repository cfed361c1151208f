"""Run one rule over small tables on both engines; for tests that also serve as documentation."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import duckdb
import narwhals as nw

from histories.reading.histories import Histories
from histories.rules import RULES
from tests.support.tables import rows

REQUIRED = {
    "pupils": [{"pupil_id": "A", "date_of_birth": "2013-05-01"}],
    "enrolments": [{"pupil_id": "A", "urn": "1", "entry_date": "2017-09-04"}],
}


def findings(code: str, **tables: str | list[dict[str, Any]]) -> dict[str, int]:
    """Return the number of violations of a rule by place, without places that have none.

    A table is aligned text or a list of rows; by default pupil ``A``, born in 2013, is at school ``1`` since 2017.
    """
    given = {t: rows(t, r) if isinstance(r, str) else r for t, r in {**REQUIRED, **tables}.items()}
    rule = next(r for r in RULES if r.code == code)
    polars = Histories.from_rows(given, as_written=True)
    by_polars, by_duckdb = _violations(rule, polars), _violations(rule, _in_duckdb(polars))
    assert by_polars == by_duckdb, "the engines differ"
    return by_polars


def weekdays(first: str, many: int) -> list[str]:
    """Return the weekdays among ``many`` days from ``first`` on."""
    days = (date.fromisoformat(first) + timedelta(days=n) for n in range(many))
    return [d.isoformat() for d in days if d.weekday() < 5]


def register(days: list[str], code: str = "/", pupil: str = "A", session: str = "AM") -> list[dict[str, Any]]:
    """Return one mark of a pupil for each day."""
    return [{"pupil_id": pupil, "date": d, "session": session, "code": code} for d in days]


def _violations(rule: Any, h: Histories) -> dict[str, int]:
    counts = {p: rule.broken(h, p).select(nw.len().alias("n")).collect().item() for p in rule.applicable_places(h)}
    return {p: n for p, n in counts.items() if n}


def _in_duckdb(h: Histories) -> Histories:
    connection = duckdb.connect()
    for table in h.present:
        connection.register("incoming", h.native(table).collect().to_arrow())
        connection.execute(f"CREATE TABLE t_{table} AS SELECT * FROM incoming")
        connection.unregister("incoming")
    return Histories({t: f"t_{t}" for t in h.present}, [], "duckdb", connection)
