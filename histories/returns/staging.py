"""Files of others as tables of text in DuckDB, each row with its line; what is wrong is collected, never a value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.delimited import AGAIN
from histories.io.memory import bytes_of
from histories.io.sql import literal
from histories.reading.values import text_sql
from histories.returns.submissions import Clock
from histories.returns.text_table import text_table

MAX_LINE = 4 << 20
SHOWN = 10  # lines named in a message
LINE = re.compile(r"Line:\s*(\d+)")
UNNAMED = "onroll: unnamed column"
EXCEL_EPOCH = "1899-12-30"  # day 0 of the 1900 date system, for days from March 1900 on


@dataclass(kw_only=True)
class Statements:
    """What one return states: for each table a query over the staged files.

    Attributes
    ----------
    tables : dict
        Table of histories, or of ``merging.statements.STATES``, to the query. Children stand under the keys of the table
        ``person``; a column ``school`` says which school's part of the return a row belongs to. A row of ``enrolments`` without
        ``entry_date`` ends a spell that another return states; its column ``line`` is the line in the first file.
    """

    period: str | None
    files: tuple[Path, ...]
    return_date: date | None
    clock: Clock
    tables: dict[str, str] = field(default_factory=dict)


def listed(lines: Sequence[int]) -> str:
    """Return the first of some lines as text."""
    return ", ".join(map(str, lines[:SHOWN])) + (" …" if len(lines) > SHOWN else "")


class Staging:
    """The text of files while they are being read.

    Attributes
    ----------
    connection : duckdb.DuckDBPyConnection
        An own database on disk, so that files may be larger than memory.
    faults : list of Fault
        What was found wrong so far; ``raise_faults`` stops with all of it.
    """

    def __init__(self, folder: Path, memory: str | None = None) -> None:
        import duckdb

        self.connection = duckdb.connect(str(folder / "staging.duckdb"))
        self.connection.execute(f"SET temp_directory = {literal(folder)}; SET enable_progress_bar = false")
        self.connection.execute(f"SET memory_limit = '{bytes_of(memory or '3GiB')}B'")
        self.scratch = folder / "text"
        self.scratch.mkdir()
        self.faults: list[Fault] = []
        self.files: dict[str, Path] = {}
        self.columns: dict[str, list[str]] = {}
        self.returns: list[Statements] = []

    def sql(self, statement: str, *values: Any) -> list[tuple]:
        """Run a statement and return its rows."""
        return self.connection.execute(statement, list(values)).fetchall()

    def csv(self, name: str, file: Path, wanted: Iterable[str] = (), days: Iterable[str] = ()) -> int:
        """Make a table of a CSV or XLSX file: every column as text under its ``heading``, and ``onroll_line``.

        Rows without a value are dropped. Encoding, delimiter, sheet and the row of the header are found by looking.

        Parameters
        ----------
        wanted : iterable of str
            Headings that the format knows; by them the sheet and the header below titles are found.
        days : iterable of str
            The headings of dates. Excel's number of a day counts as the day in them, in workbooks only.

        Returns
        -------
        int
            Rows read; 0 when the file is at fault.
        """
        try:
            text = text_table(file, self.scratch, set(wanted))
        except Faults as unreadable:
            self.faults += unreadable.faults
            return 0
        import duckdb

        listed = "{" + ", ".join(f"{literal(n)}: 'VARCHAR'" for n in text.columns) + "}"
        source = (
            f"read_csv({literal(text.file)}, columns = {listed}, header = true, auto_detect = false, "
            f"delim = {literal(text.delimiter)}, quote = '\"', escape = '\"', nullstr = '', strict_mode = true, "
            f"max_line_size = {MAX_LINE}, encoding = 'utf-8')"
        )
        names = [c for c in text.columns if c not in text.unnamed]
        serials = set(days) & set(names) if text.workbook else set()
        filled = ", ".join(f"nullif(trim(\"{c}\"), '')" for c in text.columns)
        try:
            self.connection.execute(f"""
                CREATE TABLE "{name}" AS SELECT onroll_line, {", ".join(_cell(c, c in serials) for c in names)} FROM (
                    SELECT row_number() OVER () + {text.above + 1} AS onroll_line, * FROM {source}
                ) WHERE coalesce({filled}) IS NOT NULL{_only_named(text.unnamed)}""")
        except duckdb.OutOfMemoryException:
            raise  # the file is whole
        except (duckdb.Error, UnicodeDecodeError) as error:
            match = LINE.search(str(error))
            where = f"{file}, line {int(match[1]) + text.above}" if match else str(file)
            what = "the file cannot be read as CSV: a row is of another length or cut off"
            if UNNAMED in str(error):
                what = "a column without a heading has values"
            self.faults.append(Fault(what, where, AGAIN))
            return 0
        self.files[name], self.columns[name] = file, names
        return int(self.sql(f'SELECT count(*) FROM "{name}"')[0][0])

    def rows(self, name: str, file: Path, columns: list[str], rows: Iterable[tuple]) -> int:
        """Make a table of rows of text (line first) that some other reader yields."""
        given = list(rows)
        lists = list(zip(*given, strict=True)) or [()] * (1 + len(columns))
        self.give(name, dict(zip(["onroll_line", *columns], lists, strict=True)))
        self.files[name], self.columns[name] = file, columns
        return len(given)

    def give(self, name: str, columns: Mapping[str, Iterable[Any]]) -> None:
        """Make a table of lists: text, but for whole numbers in ``onroll_line``."""
        import pyarrow as pa

        arrays = {c: pa.array(list(v), pa.int64() if c == "onroll_line" else pa.string()) for c, v in columns.items()}
        self.connection.register("incoming", pa.table(arrays))
        self.connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')
        self.connection.unregister("incoming")

    def clean(self, name: str, column: str) -> None:
        """Make a key that is a whole number alike in all files: ``101.0`` is ``101``."""
        self.sql(f'UPDATE "{name}" SET "{column}" = {text_sql(f"{chr(34)}{column}{chr(34)}", "duckdb")}')

    def lines(self, name: str, test: str) -> tuple[int, str]:
        """Return how many rows of a table meet a condition, and the lines of the first of them as text."""
        rows = self.sql(f'SELECT onroll_line FROM "{name}" WHERE {test} ORDER BY 1')
        return len(rows), listed([line for (line,) in rows])

    def check(self, name: str, column: str, test: str, what: str, do: str) -> None:
        """Keep a fault for the rows of a table that meet a condition; say file, column and lines."""
        count, lines = self.lines(name, test)
        if count:
            where = f"{self.files[name]}, column {column}, lines {lines}"
            self.faults.append(Fault(f"{count} of its rows: {what}", where, do))

    def add_return(
        self, period: str | None, files: Iterable[Path], *, return_date: date | None = None, clock: Clock = "return"
    ) -> Statements:
        """Begin the statements of one return; a format adds a query for each table that the return states something for.

        Parameters
        ----------
        period : str or None
            Which return of its format it is, such as ``2025 spring``; a later import of the same one corrects it. None for an
            extract without a period, which is one by itself.
        files : iterable of Path
            The files of the return; by them it is known when it is imported again.
        return_date : date, optional
            The return's own date.
        clock : {"return", "row"}
            See ``Submission``.
        """
        self.returns.append(Statements(period=period, files=tuple(files), return_date=return_date, clock=clock))
        return self.returns[-1]

    def need(self, name: str, columns: Iterable[str], accepted: Mapping[str, Iterable[str]] | None = None) -> bool:
        """Keep a fault for each column that a table lacks; return whether all are there.

        ``accepted`` lists the headings under which a column may stand, when there are several.
        """
        lacking = [c for c in columns if c not in self.columns[name]]
        for c in lacking:
            headings = list(dict.fromkeys((accepted or {}).get(c) or (c,)))
            do = f"Head it with {' or '.join(headings)}; case, blanks and underscores make no difference."
            self.faults.append(Fault("the column is missing", f"{self.files[name]}, column {c}", do))
        return not lacking

    def raise_faults(self) -> None:
        """Stop when anything was wrong."""
        if self.faults:
            raise Faults(self.faults)


def _cell(column: str, is_day: bool) -> str:
    """Return the expression of a column; the number of a day in a workbook becomes the day."""
    if not is_day:
        return f'"{column}"'
    return f"""CASE WHEN regexp_full_match("{column}", '[1-7][0-9]{{4}}')
        THEN strftime(DATE '{EXCEL_EPOCH}' + "{column}"::INTEGER, '%Y-%m-%d') ELSE "{column}" END AS "{column}\""""


def _only_named(unnamed: Iterable[str]) -> str:
    """Return the condition that stops the reading when a column without a heading has a value."""
    return "".join(
        f" AND CASE WHEN nullif(trim(\"{c}\"), '') IS NULL THEN true ELSE error({literal(UNNAMED)}) END"
        for c in unnamed
    )
