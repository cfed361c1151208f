"""Open histories in canonical form: a folder with DuckDB or Spark, or the rows of a request with Polars.

Canonical form: exactly the declared columns, dates as day numbers, ``known`` (the day the row was recorded) and
``end_known`` (the day the end of the spell was recorded). As of a day D a row is visible if ``known < D`` and its end if
``end_known < D`` (``docs/decisions/0001-ends-are-known-late.md``).
"""

from __future__ import annotations

import copy
import hashlib
import itertools
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import narwhals as nw

from histories.calendar import day_number, day_of, london_today
from histories.errors import Fault, Faults
from histories.io.digest import file_digest
from histories.io.duckdb_progress import switch_off
from histories.io.memory import bytes_of
from histories.reading import ENGINES
from histories.reading.days_apart import Span, span
from histories.reading.plain_frame import PlainFrame
from histories.reading.usable import canonical, no_rows, with_usable_values
from histories.tables import TABLES

# Up to so many posted rows plain lists are faster than a query engine: about 150 children with three years of marks.
FEW = 200_000
EVENTS = ("enrolments", "attendance", "termly_attendance", "suspensions", "social_care", "cme")
# A return of social care made in March does not know who left school in February.
SCHOOLING = tuple(table for table in EVENTS if table != "social_care")


class Histories:
    """Pupils' dated records.

    Attributes
    ----------
    present : frozenset of str
        The tables that are present.
    missing : tuple of str
        The tables that are absent; their features are missing, never zero.
    warnings : list of str
        Everything ignored, dropped or treated as missing, by position and count, without values: unknown tables, columns and
        codes, implausible dates, spells without a pupil.
    odd_columns : dict
        Columns of each table with values that count as missing; see ``histories.reading.usable``.
    engine : {"duckdb", "polars", "spark", "plain"}
        The engine of the frames.
    connection
        The DuckDB connection or the Spark session, or None.
    days_apart : dict
        How many records do not count as the newest or the oldest, since they lie far from all others; see ``histories.reading.days_apart``.
    mark_files : histories.reading.marks.MarkFiles or None
        The files of the marks, on DuckDB.
    posted_marks : histories.reading.marks.MarkBatch or None
        The marks of a request, as plain lists.
    looked_up : dict or None
        The tables in memory, and what was looked up in them, for all who read them again; of posted rows, and see ``in_memory``.
    """

    def __init__(
        self,
        natives: dict[str, Any],
        warnings: list[str],
        engine: str,
        connection: Any = None,
        files: dict[str, list[Path]] | None = None,
        odd_columns: dict[str, tuple[str, ...]] | None = None,
        *,
        mark_files: Any = None,
        posted_marks: Any = None,
    ) -> None:
        self.present = frozenset(natives)
        self.missing = tuple(name for name in TABLES if name not in natives)
        self.warnings = warnings
        self.engine = engine
        self.connection = connection
        self._natives = natives
        self._files = files or {}
        self._given = itertools.count(1)
        self._temporary: list[str] = []
        self._hashes: dict[Path, str] = {}
        self.odd_columns = odd_columns or {}
        self._newest_days: dict[tuple[str, ...], date] = {}
        self._first_days: dict[tuple[str, str], date | None] = {}
        self.days_apart: dict[str, int] = {}
        self._opened: Histories | None = None
        self.mark_files, self.posted_marks = mark_files, posted_marks
        self.limits: tuple[str | None, str | None] = (None, None)
        self.looked_up: dict[tuple[str, ...], Any] | None = {} if engine == "plain" else None
        self._source: Histories | None = None

    @classmethod
    def open(
        cls, folder: Path | str, *, engine: str = "duckdb", memory: str | None = None, threads: int | None = None
    ) -> Histories:
        """Open a folder of histories; only Polars loads the rows into Python's memory.

        Parameters
        ----------
        folder : Path or str
            The folder, with ``<table>.parquet``, ``.csv``, ``.csv.gz`` or ``<table>/*.parquet``; for Spark also a location on its
            platform (see ``histories.reading.spark``).
        engine : {"duckdb", "polars", "spark"}
            Engine of the features; Polars loads all rows into memory.
        memory : str, optional
            Memory limit of DuckDB, or of Spark on this machine, such as ``4GiB``.
        threads : int, optional
            Threads of DuckDB.

        Raises
        ------
        Faults
            For every damaged file, missing table or column, wrong type and invalid date, and for an unknown engine.
        """
        if engine not in ENGINES:
            raise Faults(Fault("there is no such engine", "engine", f"Use one of {', '.join(ENGINES)}."))
        scratch = tempfile.mkdtemp(prefix="onroll-")
        try:
            opened = (cls._spark if engine == "spark" else cls._duckdb)(str(folder), Path(scratch), memory, threads)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        if engine == "polars":
            natives = {name: opened.connection.table(native).pl().lazy() for name, native in opened._natives.items()}
            opened.connection.close()
            opened = cls(natives, opened.warnings, engine, None, opened._files, odd_columns=opened.odd_columns)
        weakref.finalize(opened, _close, opened.connection if engine == "duckdb" else None, scratch)
        return opened

    @classmethod
    def _duckdb(cls, folder: str, scratch: Path, memory: str | None, threads: int | None) -> Histories:
        import duckdb

        from histories.reading.files import IN_LONDON, read_tables
        from histories.reading.folder import find_files
        from histories.reading.marks import MarkFiles

        files, warnings = find_files(Path(folder))
        connection = duckdb.connect(str(scratch / "scratch.duckdb"))
        connection.execute(f"SET temp_directory = '{scratch}'")
        connection.execute(IN_LONDON)
        switch_off(connection)
        if memory:
            connection.execute(f"SET memory_limit = '{bytes_of(memory)}B'")
        if threads:
            connection.execute(f"SET threads = {int(threads)}")
        try:
            read = read_tables(connection, files, warnings, scratch)
            marks = None
            if "attendance" in files:
                direct = files["attendance"] if "attendance" in read.keys_as_written else []
                marks = MarkFiles(connection, read.natives["attendance"], direct, scratch)
            odd = read.odd_columns
            return cls(read.natives, warnings, "duckdb", connection, files, odd_columns=odd, mark_files=marks)
        except BaseException:
            connection.close()
            raise

    @classmethod
    def _spark(cls, place: str, scratch: Path, memory: str | None, threads: int | None) -> Histories:
        from histories.reading.spark import read_place, session

        spark = session(memory)
        natives, warnings, files, odd_columns = read_place(spark, place, scratch)
        return cls(natives, warnings, "spark", spark, files, odd_columns=odd_columns)

    @classmethod
    def from_rows(cls, tables: dict[str, Any], *, plain: bool = False, as_written: bool = False) -> Histories:
        """Open the rows of a request with Polars, or as plain lists.

        Parameters
        ----------
        plain : bool
            Keep up to ``FEW`` rows as plain lists: faster for few rows, with fewer expressions.
        as_written : bool
            Keep unknown codes and implausible dates, so that checks can report them.

        Raises
        ------
        Faults
            With the position of every invalid value (``tables.sen[3].start_date``), never the value.
        """
        from histories.reading.marks import posted_batch
        from histories.reading.posted_rows import in_lists, read_rows

        few, natives, warnings = read_rows(tables, as_written=as_written)
        if plain and sum(map(len, few.values())) <= FEW:
            marks = posted_batch(few["attendance"].data) if "attendance" in few else None
            return cls({name: partial(in_lists, f) for name, f in few.items()}, warnings, "plain", posted_marks=marks)
        return cls(natives, warnings, "polars")

    def frame(self, table: str) -> nw.LazyFrame:
        """Return a table in canonical form as a lazy Narwhals frame; an absent table is empty."""
        if self.looked_up is None:
            return self._canonical(table)
        if (table,) not in self.looked_up:
            read = (
                self._canonical(table) if self._source is None else self._source.frame(table).collect("polars").lazy()
            )
            self.looked_up[(table,)] = read
        return self.looked_up[(table,)]

    def _canonical(self, table: str) -> Any:
        declared = TABLES[table]
        rows = self._lazy(self.native(table)) if table in self.present else self.given(no_rows(declared))
        frame = canonical(with_usable_values(rows, declared, self.odd_columns.get(table, ())), declared)
        low, high = self.limits if "pupil_id" in declared.columns else (None, None)
        frame = frame if low is None else frame.filter(nw.col("pupil_id") >= low)
        return frame if high is None else frame.filter(nw.col("pupil_id") < high)

    def as_written(self) -> Histories:
        """Return the histories with every row and value as written, so that checks can report them."""
        unfiltered = copy.copy(self)
        unfiltered.odd_columns, unfiltered.looked_up = {}, None
        unfiltered._opened = self  # keeps the connection open
        return unfiltered

    def native(self, table: str) -> Any:
        """Return a table as the engine's own object."""
        native = self._natives[table]
        if self.engine == "duckdb":
            return self.connection.table(native)
        return native() if callable(native) else native

    @contextmanager
    def between(self, low: str | None, high: str | None) -> Iterator[Histories]:
        """Yield the histories of pupils with ``low <= pupil_id < high``; None means no limit.

        Frames loaded into the engine meanwhile are dropped at the end.
        """
        part = copy.copy(self)
        part.limits, part._temporary = (low, high), []
        part.looked_up = None if self.looked_up is None or (low, high) != self.limits else self.looked_up
        try:
            yield part
        finally:
            for name in part._temporary:
                self.connection.execute(f"DROP TABLE IF EXISTS {name}")

    def in_memory(self) -> Histories:
        """Return the histories with every table that is read held in memory, for Polars; those on Spark stay there.

        For a block of pupils, and all but their marks: to plan DuckDB's queries on files takes longer than to run them on few rows.
        """
        if self.engine == "spark" or self.looked_up is not None:
            return self
        held = copy.copy(self)
        held.engine, held.looked_up, held._source = "polars", {}, self
        return held

    @property
    def opened(self) -> Histories:
        """The histories from which those in memory come, for tables that do not fit there."""
        return self._source or self

    def given(self, rows: Any) -> Any:
        """Load a small frame (Arrow, Polars or plain lists) into the engine."""
        if self.engine == "plain" and isinstance(rows, PlainFrame):
            return rows
        table = rows if hasattr(rows, "to_pydict") else rows.to_arrow()
        return (
            PlainFrame(table.to_pydict(), len(table)) if self.engine == "plain" else self._lazy(self._native_of(table))
        )

    def _lazy(self, native: Any) -> Any:
        return native if self.engine == "plain" else nw.from_native(native).lazy()

    def _native_of(self, arrow: Any) -> Any:
        if self.engine == "duckdb":
            name = f"given_{next(self._given)}"
            self._temporary.append(name)
            self.connection.register("incoming", arrow)
            self.connection.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM incoming")
            self.connection.unregister("incoming")
            return self.connection.table(name)
        if self.engine == "spark":
            return self.connection.createDataFrame(arrow)
        import polars as pl

        return pl.from_arrow(arrow).lazy()  # type: ignore[union-attr]

    def last_known(self) -> date:
        """Return the newest day with known data on schooling, at most today and without single rows far from all others; 1970-01-01 if there is none.

        Social care does not count: its returns do not say who has left a roll. If there are attendance marks, spells count by
        recording date only: a place from next September proves nothing about the time before.
        """
        return self._newest(SCHOOLING)

    def last_recorded(self) -> date:
        """Return the newest day with known data of any kind, at most today; 1970-01-01 if there is none."""
        return self._newest(EVENTS)

    def _newest(self, tables: tuple[str, ...]) -> date:
        if tables not in self._newest_days:
            days = [self._known_days(name) for name in tables if name in self.present]
            known = span(nw.concat(days), "known") if days else Span(None, None)
            self._newest_days[tables] = day_of(int(known.last or 0))
            self.days_apart |= {"newest": known.after} if known.after else {}
        return self._newest_days[tables]

    def schooling_since(self, day: date) -> nw.LazyFrame:
        """Return ``pupil_id, known`` of the records on schooling that ``last_known`` is the newest of, from a day on."""
        present = [self._known_days(name) for name in SCHOOLING if name in self.present]
        rows = nw.concat(present or [self._known_days("enrolments")])
        return rows.filter(nw.col("known") >= day_number(day))

    def _known_days(self, name: str) -> nw.LazyFrame:
        rows, marked = self.frame(name), bool({"attendance", "termly_attendance"} & self.present)
        if marked and TABLES[name].plannable:
            rows = rows.filter(~nw.col(TABLES[name].known_from[0]).is_null())
        return rows.filter(nw.col("known") <= day_number(london_today())).select("pupil_id", "known")

    def first_day(self, table: str, column: str) -> date | None:
        """Return the earliest day in a column without single rows far from all others, or None without one; computed once, since it may be read from every mark."""
        if (table, column) not in self._first_days:
            days = span(self.frame(table), column)
            self._first_days[table, column] = None if days.first is None else day_of(int(days.first))
            self.days_apart |= {f"oldest of {table}": days.before} if days.before else {}
        return self._first_days[table, column]

    def digest(self, *tables: str) -> str:
        """Return a hash of the opened files, or of the files of some tables; empty for the rows of a request."""
        whole = hashlib.sha256()
        for name, files in sorted(self._files.items()):
            for file in files if not tables or name in tables else ():
                if file not in self._hashes:
                    self._hashes[file] = file_digest(file)
                whole.update(f"{name}:{self._hashes[file]}\n".encode())
        return whole.hexdigest() if self._files else ""


def _close(connection: Any, scratch: str) -> None:
    if connection is not None:
        connection.close()
    shutil.rmtree(scratch, ignore_errors=True)
