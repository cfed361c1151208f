"""Say which extracts contradict each other though neither is newer: then the digest of their files decides, and nobody may have meant that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from histories.io.quantities import quantity
from histories.io.sql import literal
from histories.returns.merging.senders import names_of
from histories.returns.report import Report
from histories.returns.sent_again import title
from histories.returns.submissions import Submission, Submissions
from histories.tables import TABLES


def tell_undecided(connection: Any, store: Submissions, before: int, report: Report) -> None:
    """Add a note for each new extract that differs from another one of the same newest day.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    before : int
        The last number before this import.
    """
    for new in (s for s in store.all if s.number > before and s.period.startswith("file ")):
        for other in (o for o in store.all if o.number < new.number and _is_undecided(new, o)):
            for table, rows in _differing(connection, store, new, other):
                report.notes.append(
                    f"{title(new)}and an earlier one differ in {quantity(rows, 'row')} of {table} and have the same newest day, so nothing says "
                    "which is newer: import the newer one again with --submitted DATE"
                )


def _is_undecided(new: Submission, other: Submission) -> bool:
    """Return whether neither of two extracts counts as newer: a return of one period is a correction, and counts by its import."""
    return (
        (new.form, new.return_date, new.submitted_on) == (other.form, other.return_date, other.submitted_on)
        and new.period != other.period
        and other.period.startswith("file ")
    )


def _differing(connection: Any, store: Submissions, new: Submission, other: Submission) -> Iterator[tuple[str, int]]:
    """Yield the tables of which both state the same keys differently, with the number of keys."""
    for table in (t for t in new.tables if t in other.tables and t in TABLES):
        files = [f"read_parquet({literal(store.file(s.number, table))})" for s in (new, other)]
        have = set(names_of(connection, files[0])) & set(names_of(connection, files[1]))
        key = [k for k in TABLES[table].key if k in have]
        values = sorted(have & set(TABLES[table].columns) - {*key, "recorded_on"})
        if len(key) < len(TABLES[table].key) or not values:
            continue
        same = " AND ".join(f'a."{k}" = b."{k}"' for k in key)
        differ = " OR ".join(f'a."{v}" IS DISTINCT FROM b."{v}"' for v in values)
        keys = ", ".join(f'a."{k}"' for k in key)
        query = f"SELECT count(*) FROM (SELECT DISTINCT {keys} FROM {files[0]} a JOIN {files[1]} b ON {same} WHERE {differ})"
        if count := int(connection.execute(query).fetchall()[0][0]):
            yield table, count
