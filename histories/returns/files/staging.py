"""Files of other systems as DuckDB tables of text, each row with its line number; faults are collected without values."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.delimited import AGAIN
from histories.io.duckdb_progress import switch_off
from histories.io.memory import bytes_of
from histories.io.sql import literal, literals
from histories.reading.values import text_sql, unclean_sql
from histories.returns.files.row_buffer import RowBuffer
from histories.returns.files.text_table import text_table
from histories.returns.report import LeftOut, Report, Unusable, counted
from histories.returns.submissions import Clock

MAX_LINE = 4 << 20
SHOWN = 10  # lines named in a message
LINE = re.compile(r"Line:\s*(\d+)")
UNNAMED = "onroll: unnamed column"
EXCEL_EPOCH = "1899-12-30"  # day 0 of the 1900 date system, for days from March 1900 on


@dataclass(kw_only=True)
class Statements:
    """The statements of one return: for each table a query over the staged files.

    Attributes
    ----------
    tables : dict
        Queries by table of histories, or of ``merging.statements.STATES``. Children have the keys of the table ``person``; a
        column ``school`` names the school whose part of the return a row belongs to. A row of ``enrolments`` without
        ``entry_date`` ends a spell that another return states; its column ``line`` is the line in the first file.
    sender : str
        The authority that the files name as theirs.
    children : str
        The query of all children of the return (``pupil_id``), where the tables do not hold all.
    """

    period: str | None
    files: tuple[Path, ...]
    return_date: date | None
    clock: Clock
    part: str = ""
    sender: str = ""
    children: str = ""
    tables: dict[str, str] = field(default_factory=dict)


def listed(lines: Sequence[int]) -> str:
    """Return the first line numbers as text."""
    return ", ".join(map(str, lines[:SHOWN])) + (" …" if len(lines) > SHOWN else "")


class Staging:
    """Files during an import, as tables of text.

    Attributes
    ----------
    connection : duckdb.DuckDBPyConnection
        A separate database on disk, so that files may be larger than memory.
    faults : list of Fault
        The faults so far; ``raise_faults`` stops with all of them.
    unusable : list of LeftOut
        Returns of which nothing can be used, such as one without a necessary file, and the reasons.
    """

    def __init__(self, folder: Path, memory: str | None = None) -> None:
        import duckdb

        self.connection = duckdb.connect(str(folder / "staging.duckdb"))
        self.connection.execute(f"SET temp_directory = {literal(folder)}")
        switch_off(self.connection)
        # Nobody opens the database again.
        self.connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        self.connection.execute(f"SET memory_limit = '{bytes_of(memory or '3GiB')}B'")
        self.scratch = folder / "text"
        self.scratch.mkdir()
        self.faults: list[Fault] = []
        self.unusable: list[LeftOut] = []
        self.files: dict[str, Path] = {}
        self.columns: dict[str, list[str]] = {}
        self.returns: list[Statements] = []
        self.numbers = itertools.count(1)

    def sql(self, statement: str, *values: Any) -> list[tuple]:
        """Run a statement and return its rows."""
        return self.connection.execute(statement, list(values)).fetchall()

    def csv(
        self,
        name: str,
        file: Path,
        wanted: Iterable[str] = (),
        days: Iterable[str] = (),
        *,
        as_written: bool = False,
        sheet: int | None = None,
    ) -> int:
        """Load a CSV or XLSX file as a table: every column as text under its ``heading``, and ``onroll_line``.

        Empty rows are dropped. Encoding, delimiter, sheet and header row are detected. Cells are normalised as ``values.text_of``
        does it: no surrounding blanks, and ``5`` for ``5.0``.

        Parameters
        ----------
        wanted : iterable of str
            Headings of the format, by which the sheet and the header row are detected.
        days : iterable of str
            The headings of dates; in workbooks, Excel's day numbers in these columns become dates.
        as_written : bool
            Whether cells stay as they are: for marks, of which there are too many to clean each.
        sheet : int, optional
            Which sheet of a workbook, from 0; by default the one with most of the headings.

        Returns
        -------
        int
            Number of rows; 0 if the file has a fault.
        """
        try:
            text = text_table(file, self.scratch, set(wanted), sheet)
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
        cells = ", ".join(_cell(c, c in serials, as_written) for c in names)
        filled = ", ".join(f"nullif(trim(\"{c}\"), '')" if as_written else f'"{c}"' for c in names)
        try:
            # A table numbers its rows in the order of the file, faster than a window function would.
            self.connection.execute(
                f'CREATE TABLE "{name}_rows" AS SELECT {cells} FROM {source} {_only_named(text.unnamed)}'
            )
            empty = f"coalesce({filled}) IS NULL"
            some_empty = self.sql(f'SELECT 1 FROM "{name}_rows" WHERE {empty} LIMIT 1')
            self.connection.execute(
                f'CREATE VIEW "{name}" AS SELECT rowid + {text.above + 2} AS onroll_line, * FROM "{name}_rows"'
                + (f" WHERE NOT ({empty})" if some_empty else "")
            )
        except duckdb.OutOfMemoryException:
            raise  # the file itself is fine
        except (duckdb.Error, UnicodeDecodeError) as error:
            match = LINE.search(str(error))
            where = f"{file}, line {int(match[1]) + text.above}" if match else str(file)
            what = "the file cannot be read as CSV: a row has the wrong number of cells or is cut off"
            if UNNAMED in str(error):
                what = "a column without a heading has values"
            self.faults.append(Fault(what, where, AGAIN))
            return 0
        self.files[name], self.columns[name] = file, names
        return int(self.sql(f'SELECT count(*) FROM "{name}"')[0][0])

    def rows(self, name: str, file: Path, columns: list[str], rows: Iterable[tuple]) -> int:
        """Create a table from rows of text (line number first) of another reader."""
        buffer = RowBuffer(self, name, file, columns)
        for row in rows:
            buffer.add(*row)
        buffer.flush()
        return int(self.sql(f'SELECT count(*) FROM "{name}"')[0][0])

    def give(self, name: str, columns: Mapping[str, Iterable[Any]]) -> None:
        """Create a table from lists of text; ``onroll_line`` holds whole numbers."""
        import pyarrow as pa

        arrays = {c: pa.array(list(v), pa.int64() if c == "onroll_line" else pa.string()) for c, v in columns.items()}
        self.connection.register("incoming", pa.table(arrays))
        self.connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM incoming')
        self.connection.unregister("incoming")

    def lines(self, name: str, test: str) -> tuple[int, str]:
        """Return the number of rows that meet a condition, and the first line numbers as text."""
        # A fault in every row of a file of marks must not bring millions of line numbers here.
        shown = f"list_sort(min(onroll_line, {SHOWN + 1}))"
        count, first = self.sql(f'SELECT count(*), {shown} FROM "{name}" WHERE {test}')[0]
        return int(count), listed(first or [])

    def one_of(self, cell: str, values: Collection[str]) -> str:
        """Return the condition that a cell holds one of the values, of which there may be as many as children."""
        name = f"values_{next(self.numbers)}"
        self.give(name, {"value": values})
        return f'{cell} IN (SELECT value FROM "{name}")'

    def check(self, name: str, column: str, test: str, what: str, do: str) -> None:
        """Collect a fault for the rows that meet a condition, with file, column and lines."""
        count, lines = self.lines(name, test)
        if count:
            where = f"{self.files[name]}, column {column}, lines {lines}"
            self.faults.append(Fault(f"{count} of its rows: {what}", where, do))

    def note(self, report: Report, name: str, test: str, what: str) -> None:
        """Add a remark on the rows of a table that meet a condition: how many they are, and on which lines."""
        count, lines = self.lines(name, test)
        if count:
            report.notes.append(f"{self.files[name].name}: {counted(count, what)} (lines {lines})")

    def note_codes(self, report: Report, name: str, column: str, codes: Iterable[str]) -> None:
        """Add a remark on the rows in which a column holds something else than a code, in any case."""
        known = literals(sorted({c.upper() for c in codes}))
        test = f'"{column}" IS NOT NULL AND upper("{column}") NOT IN {known}'
        self.note(report, name, test, f"have in {column} what is no code of the set; it is left empty")

    def add_return(
        self,
        period: str | None,
        files: Iterable[Path],
        *,
        return_date: date | None = None,
        clock: Clock = "return",
        part: str = "",
        sender: str = "",
        children: str = "",
    ) -> Statements:
        """Start the statements of one return, to which the format adds a query for each table.

        Parameters
        ----------
        period : str or None
            The period of the return, such as ``2025 spring``; a later import for the same period corrects it. None for an extract
            without a period, which corrects nothing.
        files : iterable of Path
            The files of the return, by which a repeated import is detected.
        return_date : date, optional
            The date in the return itself.
        clock : {"return", "row"}
            See ``Submission``.
        part : str
            See ``Submission``.
        sender, children : str
            See ``Statements``.
        """
        self.returns.append(
            Statements(
                period=period,
                files=tuple(files),
                return_date=return_date,
                clock=clock,
                part=part,
                sender=sender,
                children=children,
            )
        )
        return self.returns[-1]

    def need(self, name: str, columns: Iterable[str], accepted: Mapping[str, Iterable[str]] | None = None) -> bool:
        """Collect a fault for each missing column; return whether all are present.

        ``accepted`` lists the accepted headings of columns that have several.
        """
        lacking = [c for c in columns if c not in self.columns[name]]
        for c in lacking:
            headings = list(dict.fromkeys((accepted or {}).get(c) or (c,)))
            do = f"Name it {' or '.join(headings)}; case, blanks and underscores do not matter."
            self.faults.append(Fault("the column is missing", f"{self.files[name]}, column {c}", do))
        return not lacking

    def leave_out(self, files: Iterable[Path], fault: Fault) -> None:
        """Leave out a return of which nothing can be used; others of the import may be."""
        self.unusable.append(LeftOut(files=tuple(files), fault=fault))

    def raise_faults(self, report: Report | None = None) -> None:
        """Raise the collected faults, if any.

        Parameters
        ----------
        report : Report, optional
            At the end of the reading: gets the returns left out; ``Unusable`` is raised if there is no other return.
        """
        if self.faults:
            raise Faults([*self.faults, *(o.fault for o in self.unusable)])
        if report is not None:
            if self.unusable and not self.returns:
                raise Unusable(dict.fromkeys(o.fault for o in self.unusable))
            report.left_out += self.unusable


def _cell(column: str, is_day: bool, as_written: bool) -> str:
    """Return the expression of a column, cleaned unless it stays as written; the number of a day becomes the day."""
    raw = f'"{column}"'
    text = (
        raw if as_written else f"CASE WHEN {unclean_sql(raw, 'duckdb')} THEN {text_sql(raw, 'duckdb')} ELSE {raw} END"
    )
    if is_day:
        text = f"""CASE WHEN regexp_full_match({raw}, '[1-7][0-9]{{4}}')
            THEN strftime(DATE '{EXCEL_EPOCH}' + {raw}::INTEGER, '%Y-%m-%d') ELSE {text} END"""
    return f"{text} AS {raw}"


def _only_named(unnamed: Iterable[str]) -> str:
    """Return the condition that stops the reading when a column without a heading has a value."""
    tests = [
        f"CASE WHEN nullif(trim(\"{c}\"), '') IS NULL THEN true ELSE error({literal(UNNAMED)}) END" for c in unnamed
    ]
    return f"WHERE {' AND '.join(tests)}" if tests else ""
