"""Load the statements of all returns as DuckDB tables, with the current keys of children and schools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from histories.io.sql import literal
from histories.reading.files import SQL_TYPES
from histories.returns.merging.senders import Scopes, names_of
from histories.returns.submissions import Ranked, Submissions
from histories.tables import TABLES

BASE = 0  # the number of rows from before the first import
# Statements that are not tables of histories: states on the day of the return, and equal UPNs and schools.
STATES = {
    "sen_states": {"pupil_id": "VARCHAR", "level": "INTEGER", "primary_need": "VARCHAR"},
    "address_states": {"pupil_id": "VARCHAR", "household_id": "VARCHAR", "lsoa": "VARCHAR", "postcode_key": "VARCHAR"},
    "postcode_areas": {"postcode_key": "VARCHAR", "lsoa": "VARCHAR"},
    "upn_changes": {"key": "VARCHAR", "former_key": "VARCHAR"},
    "same_schools": {"urn": "VARCHAR", "same_as": "VARCHAR"},
}
EXTRA = {
    "enrolments": {"listed": "BOOLEAN", "line": "BIGINT"},
    "pupils": {"upn_key": "VARCHAR"},
    "addresses": {"postcode_key": "VARCHAR"},
}
URNS = ("urn", "destination_urn", "offered_urn")


def columns_of(table: str) -> dict[str, str]:
    """Return the columns of a statement with their SQL types."""
    if table in STATES:
        return STATES[table]
    return {c.name: SQL_TYPES[c.kind] for c in TABLES[table].columns.values()} | EXTRA.get(table, {})


def files_of(store: Submissions, table: str) -> list[tuple[int, Path]]:
    """Return the files with statements for a table, each with the number of its submission."""
    listed = [(s.number, store.file(s.number, table)) for s in store.all if table in s.tables]
    base = store.file(BASE, table)
    return ([(BASE, base)] if base.is_file() else []) + listed


def load_submissions(connection: Any, ranks: list[Ranked], scopes: Scopes) -> None:
    """Create the tables ``submission`` and ``cover``: the scope of each school's part of a submission."""
    connection.execute(
        "CREATE TABLE submission (number INTEGER, form VARCHAR, period VARCHAR, rank INTEGER, return_date DATE, stated_on DATE, clock VARCHAR, part VARCHAR)"
    )
    connection.execute("CREATE TABLE cover (number INTEGER, school VARCHAR, scope VARCHAR)")
    rows = []
    for r in ranks:
        s = r.submission
        rows.append([s.number, s.form, s.period, r.rank, s.return_date, r.stated_on, s.clock, s.part])
    parts = [[number, school, scope] for number, schools in scopes.schools.items() for school, scope in schools.items()]
    if rows:
        connection.executemany("INSERT INTO submission VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.executemany("INSERT INTO cover VALUES (?, ?, ?)", parts)


def load(connection: Any, store: Submissions, table: str) -> None:
    """Create ``s_<table>``: statements with rank, dates and clock of their submission, and whether they are current."""
    wanted = columns_of(table) | {"school": "VARCHAR"}
    files = files_of(store, table)
    typed = "SELECT " + ", ".join(f'NULL::{kind} AS "{c}"' for c, kind in wanted.items())
    parts = [f"{typed}, NULL::INTEGER AS number WHERE false"]
    for number, file in files:
        have = set(names_of(connection, f"read_parquet({literal(file)})"))
        listed = ", ".join(f'CAST("{c}" AS {kind}) AS "{c}"' for c, kind in wanted.items() if c in have)
        parts.append(f"SELECT {listed}, {number} AS number FROM read_parquet({literal(file)})")
    connection.execute(f"CREATE VIEW u_{table} AS " + " UNION ALL BY NAME ".join(parts))
    numbers = ", ".join(str(n) for n, _ in files) or "-1"
    replaced = []
    joins = []
    if "pupil_id" in wanted:
        replaced.append("coalesce(a.pupil_id, u.pupil_id) AS pupil_id")
        joins.append("LEFT JOIN alias a ON a.key = u.pupil_id")
    for n, c in enumerate(c for c in URNS if c in wanted and table != "same_schools"):
        replaced.append(f"coalesce(k{n}.same_as, u.{c}) AS {c}")
        joins.append(f"LEFT JOIN school_id k{n} ON k{n}.urn = u.{c}")
    same = "u.* EXCLUDE (school)" + (f" REPLACE ({', '.join(replaced)})" if replaced else "")
    sender = ", coalesce(v.scope, '') AS sender" if table == "attendance" else ""
    # A statement corrected on the day it was stated was never visible.
    conditions = ["NOT coalesce(b.rank < l.rank AND b.stated_on IS NOT DISTINCT FROM l.stated_on, false)"]
    if "pupil_id" in wanted:
        conditions.append("NOT starts_with(coalesce(a.pupil_id, u.pupil_id), 'unlinked:')")
    # A statement that a correction repeats unchanged counts from the first submission.
    same_row = ", ".join(["b.form", "b.period", *(f'u."{c}"' for c in wanted if c != "line")])
    stated = f"min(b.stated_on) OVER (PARTITION BY {same_row})" if _corrected(connection, numbers) else "b.stated_on"
    connection.execute(f"""
        CREATE VIEW s_{table} AS
        WITH latest AS (
            SELECT form, period, scope, max(rank) AS rank, arg_max(stated_on, rank) AS stated_on FROM submission JOIN cover USING (number) WHERE number IN ({numbers}) GROUP BY ALL
        )
        SELECT {same}, coalesce(b.rank, 0) AS rank, b.return_date, {stated} AS stated_on, b.stated_on AS returned_on, coalesce(b.clock, 'row') AS clock, (u.number = {BASE} OR coalesce(b.rank = l.rank, false)) AS is_current{sender}
        FROM u_{table} u LEFT JOIN submission b USING (number)
        LEFT JOIN cover v ON v.number = u.number AND v.school = coalesce(u.school, '')
        LEFT JOIN latest l ON l.form = b.form AND l.period = b.period AND l.scope = v.scope
        {" ".join(joins)} WHERE {" AND ".join(conditions)}""")


def _corrected(connection: Any, numbers: str) -> bool:
    """Return whether any part of a return among some submissions was submitted more than once."""
    query = f"""SELECT 1 FROM submission JOIN cover USING (number) WHERE number IN ({numbers})
        GROUP BY form, period, scope HAVING count(DISTINCT number) > 1 LIMIT 1"""
    return bool(connection.execute(query).fetchall())
