"""Derive the tables of histories from the statements of all returns; the order of import does not matter."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from histories.io.sql import literal
from histories.reading.files import SQL_TYPES
from histories.returns.merging.keys import give_keys, same_children, same_schools
from histories.returns.merging.rows import rows_of
from histories.returns.merging.senders import scopes_of
from histories.returns.merging.statements import (
    BASE,
    columns_of,
    files_of,
    load,
    load_submissions,
)
from histories.returns.submissions import Submissions, ranked
from histories.tables import TABLES

HERE = Path(__file__).parent
IN_ORDER = 'pupil_id, "date", session'  # of marks: a block of children then reads its own row groups only
# Tables derived from several kinds of statements.
SOURCES = {
    "sen": ("sen", "sen_states"),
    "addresses": ("addresses", "address_states", "postcode_areas"),
    "schools": ("schools", "enrolments"),
}
KEYS = ("upn_changes", "same_schools")  # statements that can change the keys of every table
PHASE = "CASE WHEN max(y) IS NULL OR max(y) < 7 THEN 'primary' WHEN min(y) >= 7 THEN 'secondary' ELSE 'all-through' END"


class Merge:
    """Derives tables in the database of an import.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    store : Submissions
        With the files of every submission, new ones included.
    held : mapping
        Keys of UPNs to the ``pupil_id`` of the child before the first import.
    links : mapping
        Keys of records without a UPN to the pupil linked by 'onroll link'.
    upns : mapping
        The UPN of each key, where it is known.
    """

    def __init__(
        self,
        connection: Any,
        store: Submissions,
        *,
        held: Mapping[str, str],
        links: Mapping[str, str],
        upns: Mapping[str, str],
    ) -> None:
        self.connection, self.store = connection, store
        self.children = same_children(self._pairs("upn_changes"), held, store.kept)
        self.children |= {key: self.children.get(pupil, pupil) for key, pupil in links.items()}
        schools = same_schools(self._pairs("same_schools"))
        give_keys(connection, self.children, schools)
        self.scopes = scopes_of(connection, store, schools)
        ranks = ranked(store.all, {s.number: self.scopes.of(s) for s in store.all})
        load_submissions(connection, ranks, self.scopes)
        give_upns(connection, upns)
        self.loaded: set[str] = set()

    def _pairs(self, table: str) -> Iterable[tuple[str, str]]:
        first, second = columns_of(table)
        pairs: list[tuple[str, str]] = []
        for _, file in files_of(self.store, table):
            pairs += self.connection.execute(
                f"SELECT DISTINCT {first}, {second} FROM read_parquet({literal(file)}) ORDER BY ALL"
            ).fetchall()
        return pairs

    def _load(self, table: str) -> None:
        if table not in self.loaded:
            load(self.connection, self.store, table)
            self.loaded.add(table)

    def has(self, table: str) -> bool:
        """Return whether any return has statements for a table."""
        return any(files_of(self.store, source) for source in SOURCES.get(table, (table,)))

    def write(self, table: str, file: Path) -> int:
        """Write a table and return its number of rows; an empty table is not written."""
        if single := self._single(table):
            os.link(single, file)
        else:
            self._derive(table)
            declared = TABLES[table].columns.values()
            have = {r[0] for r in self.connection.execute(f"DESCRIBE out_{table}").fetchall()}
            cast = ", ".join(
                f'CAST({f"{chr(34)}{c.name}{chr(34)}" if c.name in have else "NULL"} AS {SQL_TYPES[c.kind]}) AS "{c.name}"'
                for c in declared
            )
            order = f" ORDER BY {IN_ORDER if table == 'attendance' else 'ALL'}"
            self.connection.execute(
                f"COPY (SELECT {cast} FROM out_{table}{order}) TO {literal(file)} (FORMAT parquet, COMPRESSION zstd)"
            )
        count = int(self.connection.execute(f"SELECT count(*) FROM read_parquet({literal(file)})").fetchall()[0][0])
        if not count:
            file.unlink()
        return count

    def _single(self, table: str) -> Path | None:
        """Return the file of marks if it can serve as the table itself: there are too many marks to write them twice."""
        files = files_of(self.store, table)
        if table != "attendance" or len(files) != 1 or files[0][0] == BASE or self.children:
            return None
        names = {
            r[0]
            for r in self.connection.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(files[0][1])})").fetchall()
        }
        waiting = f"SELECT 1 FROM read_parquet({literal(files[0][1])}) WHERE starts_with(pupil_id, 'unlinked:') LIMIT 1"
        if names != set(TABLES[table].columns) or self.connection.execute(waiting).fetchall():
            return None
        return files[0][1]

    def _derive(self, table: str) -> None:
        for source in SOURCES.get(table, (table,)):
            self._load(source)
        if table == "enrolments":
            self._enrolments()
        elif table in ("sen", "addresses"):
            self._states()
            other = "sen_spells" if table == "sen" else "address_spells"
            stated = rows_of(table).replace("s_addresses", "placed_addresses")
            same = "AND o.provision = n.provision" if table == "sen" else ""
            self.connection.execute(f"""
                CREATE TABLE out_{table} AS WITH stated AS ({stated})
                SELECT * FROM stated UNION ALL BY NAME SELECT * FROM {other} n WHERE NOT EXISTS (
                    FROM stated o WHERE o.pupil_id = n.pupil_id {same} AND o.start_date <= n.start_date AND coalesce(o.end_date, DATE '2999-01-01') > n.start_date)""")
        elif table == "schools":
            # The phase derived from year groups is a guess; a list of schools overrides it.
            self.connection.execute(f"""
                CREATE TABLE out_schools AS WITH listed AS ({rows_of(table)})
                SELECT * FROM listed UNION ALL BY NAME SELECT urn, {PHASE} AS phase FROM (SELECT urn, try_cast(nc_year AS INT) AS y FROM s_enrolments WHERE listed IS NOT NULL)
                WHERE urn NOT IN (SELECT urn FROM listed) GROUP BY urn""")
        elif table == "pupils":
            self.connection.execute("""
                CREATE TABLE newest_upn AS SELECT pupil_id, struct_extract(max({'r': rank, 'v': upn_key}) FILTER (upn_key IS NOT NULL), 'v') AS upn_key
                FROM s_pupils WHERE is_current GROUP BY pupil_id""")
            self.connection.execute(f"""
                CREATE TABLE out_pupils AS SELECT p.* REPLACE (coalesce(p.upn, u.upn) AS upn) FROM ({rows_of(table)}) p
                LEFT JOIN newest_upn n USING (pupil_id) LEFT JOIN upn_of u ON u.upn_key = n.upn_key WHERE p.date_of_birth IS NOT NULL""")
        elif table == "termly_attendance":
            self._sessions()
        elif table == "social_care":
            self._social_care()
        else:
            self.connection.execute(f"CREATE VIEW out_{table} AS {rows_of(table)}")

    def _enrolments(self) -> None:
        self.connection.execute("""
            CREATE TABLE census AS SELECT DISTINCT urn, number, rank, return_date, returned_on AS stated_on FROM s_enrolments WHERE listed""")
        self.connection.execute((HERE / "enrolments.sql").read_text(encoding="utf-8"))

    def unmatched(self, number: int) -> list[int]:
        """Return the lines of a submission's leavings that match no spell yet; another return may still state it."""
        query = f"SELECT line FROM unmatched WHERE number = {number} AND line IS NOT NULL ORDER BY line"
        return [line for (line,) in self.connection.execute(query).fetchall()]

    def _states(self) -> None:
        for source in ("sen_states", "address_states", "addresses", "postcode_areas"):
            self._load(source)
        if not self.connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'sen_spells'").fetchall():
            self.connection.execute((HERE / "states.sql").read_text(encoding="utf-8"))

    def _sessions(self) -> None:
        """Sum the sessions of a child in one term over schools, for each return; files of single schools apart from the whole."""
        self.connection.execute("""
            CREATE VIEW t_termly_attendance AS SELECT pupil_id, term_start, term_end, code, sum(sessions)::BIGINT AS sessions,
                CASE WHEN b.clock = 'return' THEN s.return_date ELSE recorded_on END AS recorded_on, max(rank) AS rank, return_date, max(s.stated_on) AS stated_on,
                s.clock, true AS is_current, max(number) AS number
            FROM s_termly_attendance s LEFT JOIN (SELECT number, form, period, clock, part <> '' AS by_school FROM submission) b USING (number)
            WHERE is_current GROUP BY pupil_id, term_start, term_end, code, b.form, b.period, b.by_school, b.clock, s.clock, s.return_date, recorded_on""")
        query = rows_of("termly_attendance").replace("s_termly_attendance", "t_termly_attendance")
        self.connection.execute(f"CREATE TABLE out_termly_attendance AS {query}")

    def _social_care(self) -> None:
        """Join consecutive placements: one that begins by the day after the last one ended continues the same spell of care."""
        self.connection.execute(f"CREATE TABLE care AS {rows_of('social_care')}")
        self.connection.execute("""
            CREATE TABLE out_social_care AS
            WITH placed AS (
                SELECT *, coalesce(start_date > max(coalesce(end_date, DATE '2999-01-01')) OVER (PARTITION BY pupil_id ORDER BY start_date ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) + 1, true) AS fresh
                FROM care WHERE kind = 'cla'
            ), counted AS (SELECT *, sum(fresh::INT) OVER (PARTITION BY pupil_id ORDER BY start_date ROWS UNBOUNDED PRECEDING) AS spell FROM placed)
            SELECT pupil_id, kind, min(start_date) AS start_date, CASE WHEN count(end_date) = count(*) THEN max(end_date) END AS end_date, arg_min(category, start_date) AS category,
                CASE WHEN count(end_date) = count(*) THEN arg_max(end_reason, start_date) END AS end_reason, arg_min(recorded_on, start_date) AS recorded_on,
                CASE WHEN count(end_date) = count(*) THEN arg_max(end_recorded_on, start_date) END AS end_recorded_on
            FROM counted GROUP BY pupil_id, kind, spell
            UNION ALL BY NAME SELECT * FROM care WHERE kind <> 'cla'""")


def give_upns(connection: Any, upns: Mapping[str, str]) -> None:
    """Create the table ``upn_of``."""
    import pyarrow as pa

    columns = {"upn_key": pa.array(list(upns), pa.string()), "upn": pa.array(list(upns.values()), pa.string())}
    connection.register("incoming", pa.table(columns))
    connection.execute("CREATE TABLE upn_of AS SELECT * FROM incoming")
    connection.unregister("incoming")


def affected(tables: Iterable[str], *, all_keys: bool) -> list[str]:
    """Return the tables of histories that new statements can change."""
    stated = set(tables)
    if all_keys or stated & set(KEYS):
        return list(TABLES)
    return [t for t in TABLES if stated & set(SOURCES.get(t, (t,)))]


def keep(table: str, before: Path, beside: Path) -> None:
    """Copy a table unchanged."""
    file = before / f"{table}.parquet"
    if file.is_file():
        shutil.copy2(file, beside / file.name)
