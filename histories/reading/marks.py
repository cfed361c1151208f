"""Read marks in batches of columns: codes of dictionaries and day numbers, as Parquet holds them, without a join or a sort.

Files in order of the pupils give a block of children its own row groups only. A table in another order is read whole for each block, until
a copy in order is worth its price; a table in other types (CSV, dates as text, keys that need cleaning) is copied first.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, TypeAlias

import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from histories.calendar import day_number
from histories.codes import code_set
from histories.errors import Fault, Faults
from histories.io.delimited import heading
from histories.io.sql import literal
from histories.reading.frames import collect
from histories.reading.posted_columns import CodedColumn, PostedColumn, distinct
from histories.reading.values import FIRST_DAY, code_of, last_day, text_of
from histories.tables import TABLES

TEXTS, DATES = ("pupil_id", "session", "code"), ("date", "recorded_on")
COLUMNS = (*TEXTS, *DATES)
ROWS = 2**20  # marks in a row group of a copy
BATCH = 2**17  # marks in a batch, which then stays in the processor's cache
READS = 24  # a file in another order is read so many times before it is copied: sorting a mark takes as long as reading it so often
NO_DAY = np.iinfo(np.int32).max  # of a mark that does not count


class Coded(NamedTuple):
    """A column of text as a dictionary: the distinct values, and the place of each row's value among them.

    Batches of one row group share the list of the values.
    """

    values: list[str]
    places: np.ndarray


@dataclass(frozen=True, kw_only=True)
class MarkBatch:
    """Marks in columns of equal length; the days are day numbers, and all arrays are read-only int32."""

    pupil: Coded
    session: Coded
    code: Coded
    date: np.ndarray
    known: np.ndarray


Take: TypeAlias = Callable[[MarkBatch], None]


@dataclass(frozen=True, kw_only=True)
class RowGroup:
    """A row group of a Parquet file: the headings of its columns, and the limits of its pupils and dates, where the file has them."""

    file: Path
    metadata: Any
    number: int
    headings: dict[str, str]
    rows: int
    pupils: tuple[str, str] | None
    dates: tuple[int, int] | None

    def may_hold(self, limits: tuple[str | None, str | None], days: range) -> bool:
        """Return whether it may hold marks of some pupils on some days."""
        low, high = limits
        if self.pupils and (
            (low is not None and self.pupils[1] < low) or (high is not None and self.pupils[0] >= high)
        ):
            return False
        return self.dates is None or (self.dates[0] < days.stop and self.dates[1] >= days.start)


class MarkFiles:
    """The table of marks of an opened folder.

    Parameters
    ----------
    connection
        The DuckDB connection.
    native : str
        Name of the table in canonical form.
    files : list of Path
        The files, if its keys need no cleaning; otherwise none.
    scratch : Path
        A folder for a copy.
    """

    def __init__(self, connection: Any, native: str, files: list[Path], scratch: Path) -> None:
        self._connection, self._native, self._files = connection, native, files
        self._copy = scratch / "marks.parquet"
        self._groups: list[RowGroup] | None = None
        self._read = 0

    def groups(self, limits: tuple[str | None, str | None], days: range) -> list[RowGroup]:
        """Return the row groups that may hold marks of some pupils on some days."""
        if self._groups is None:
            self._groups = _row_groups(self._files) or self._copied()
        chosen = [g for g in self._groups if g.may_hold(limits, days)]
        if limits != (None, None) and not _in_order(self._groups):
            self._read += sum(g.rows for g in chosen)
            if self._read > READS * sum(g.rows for g in self._groups):
                self._groups = self._copied()
                chosen = [g for g in self._groups if g.may_hold(limits, days)]
        return chosen

    def _copied(self) -> list[RowGroup]:
        """Copy the table in order of the pupils; DuckDB sorts within its limit of memory."""
        rows = f"SELECT {', '.join(COLUMNS)} FROM {self._native} ORDER BY pupil_id, date, session"
        self._connection.execute(f"COPY ({rows}) TO {literal(self._copy)} (FORMAT parquet, ROW_GROUP_SIZE {ROWS})")
        return _row_groups([self._copy]) or []


def read_marks(histories: Any, days: range, take: Take) -> None:
    """Hand over the marks of the histories' pupils on some days in batches: in no order, one batch at a time.

    Batches may hold marks of other pupils and days too. Threads decode while ``take`` works.

    Parameters
    ----------
    histories : Histories
        On any engine except Spark.
    days : range
        Day numbers.
    take : callable
        Takes a ``MarkBatch``.
    """
    if "attendance" not in histories.present:
        return
    if histories.mark_files is None:
        for batch in _of_rows(histories, days):
            take(batch)
        return
    odd = bool(histories.odd_columns.get("attendance"))
    groups, turn = histories.mark_files.groups(histories.limits, days), Lock()

    def read(group: RowGroup) -> None:
        for batch in _decoded(group):
            batch = _usable(batch) if odd else batch
            with turn:
                take(batch)

    with ThreadPoolExecutor(max(1, min(os.cpu_count() or 1, len(groups)))) as threads:
        list(threads.map(read, groups))


def _row_groups(files: list[Path]) -> list[RowGroup] | None:
    """Return the row groups of Parquet files in the declared types; None if any file has others."""
    groups: list[RowGroup] = []
    for path in files:
        with pq.ParquetFile(path) as file:
            metadata, schema = file.metadata, file.schema_arrow
        headings = {heading(name): name for name in schema.names if heading(name) in COLUMNS}
        if not headings.keys() >= {*TEXTS, "date"}:
            return None
        if not all(_fits(name, schema.field(given).type) for name, given in headings.items()):
            return None
        groups += [_row_group(path, metadata, n, headings) for n in range(metadata.num_row_groups)]
    return groups if files else None


def _fits(name: str, kind: pa.DataType) -> bool:
    if name in DATES:
        return kind in (pa.date32(), pa.int32())  # day numbers only in a copy: a file with numbers as dates is refused
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return kind in (pa.string(), pa.large_string())


def _row_group(path: Path, metadata: Any, number: int, headings: dict[str, str]) -> RowGroup:
    group = metadata.row_group(number)
    limits = {}
    for place in range(group.num_columns):
        column = group.column(place)
        if (known := column.statistics) is not None and known.has_min_max:
            limits[column.path_in_schema] = known.min, known.max
    dates = limits.get(headings["date"])
    if dates and not isinstance(dates[0], int):
        dates = day_number(dates[0]), day_number(dates[1])
    return RowGroup(
        file=path,
        metadata=metadata,
        number=number,
        headings=headings,
        rows=group.num_rows,
        pupils=limits.get(headings["pupil_id"]),
        dates=dates,
    )


def _in_order(groups: list[RowGroup]) -> bool:
    """Return whether the row groups of each file follow each other in order of the pupils."""
    return all(
        one.file != other.file or (one.pupils and other.pupils and one.pupils[1] <= other.pupils[0])
        for one, other in pairwise(groups)
    )


def _decoded(group: RowGroup) -> Iterator[MarkBatch]:
    texts = [group.headings[name] for name in TEXTS]
    try:
        with pq.ParquetFile(group.file, metadata=group.metadata, read_dictionary=texts) as file:
            wanted = {"row_groups": [group.number], "columns": list(group.headings.values()), "use_threads": False}
            dictionaries = Dictionaries()
            for rows in file.iter_batches(BATCH, **wanted):
                columns = {name: rows.column(given) for name, given in group.headings.items()}
                yield _batch(
                    {"known" if name == "recorded_on" else name: c for name, c in columns.items()}, dictionaries
                )
    except (pa.ArrowException, OSError) as error:
        do = "The file may be damaged, or have changed since it was opened: export it again."
        raise Faults(Fault("the file cannot be read as Parquet", str(group.file), do)) from error


class Dictionaries:
    """The dictionaries of a row group, so that the values of each are read and cleaned once."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[pa.Array, list[str]]] = {}

    def coded(self, name: str, column: pa.Array) -> Coded:
        """Return a column of text with its dictionary."""
        column = column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
        if name not in self._known or not column.dictionary.equals(self._known[name][0]):
            self._known[name] = column.dictionary, _cleaned(name, column.dictionary.to_pylist())
        places = column.indices.cast(pa.int32()).to_numpy()
        # Arrow hands on the places of a file as they stand, and compiled loops follow them without looking; a negative one is large here.
        if len(places) and places.view(np.uint32).max() >= len(column.dictionary):
            raise pa.ArrowInvalid(f"places of {name} lie outside its dictionary")
        return Coded(self._known[name][1], _fixed(places))


def _batch(columns: dict[str, pa.Array], dictionaries: Dictionaries) -> MarkBatch:
    """Return the batch of decoded columns; a mark without a day of recording was known on its own day."""
    days = columns["date"].cast(pa.int32())
    known = columns["known"].cast(pa.int32()) if "known" in columns else days
    if known.null_count:
        known = pc.coalesce(known, days)
    return MarkBatch(
        pupil=dictionaries.coded("pupil_id", columns["pupil_id"]),
        session=dictionaries.coded("session", columns["session"]),
        code=dictionaries.coded("code", columns["code"]),
        date=_fixed(days.to_numpy()),
        known=_fixed(known.to_numpy()),
    )


def _cleaned(name: str, values: list[str]) -> list[str]:
    """Return codes as their set has them, as ``histories.reading.typed_columns`` does in SQL; keys need no cleaning."""
    declared = TABLES["attendance"].columns[name]
    if declared.codes is None:
        return values
    texts = [text_of(value) or "" for value in values]
    return [code_of(declared, text) or text for text in texts]


def _fixed(array: np.ndarray) -> np.ndarray:
    """Return an array read-only, as Arrow gives them: numba compiles the loop for one kind of array only."""
    array.flags.writeable = False
    return array


def _usable(batch: MarkBatch) -> MarkBatch:
    """Treat values as ``Histories.frame`` does: a mark with an odd day or code does not count, an odd day of recording is not known."""
    low, high = day_number(FIRST_DAY), day_number(last_day())
    counts = (batch.date >= low) & (batch.date <= high)
    for name, coded in (("session", batch.session), ("code", batch.code)):
        codes = code_set(str(TABLES["attendance"].columns[name].codes))
        counts &= np.array([value in codes for value in coded.values] or [False])[coded.places]
    days = np.where(counts, batch.date, np.int32(NO_DAY))
    known = np.where(batch.known >= low, batch.known, batch.date)
    return MarkBatch(pupil=batch.pupil, session=batch.session, code=batch.code, date=_fixed(days), known=_fixed(known))


def _of_rows(histories: Any, days: range) -> Iterator[MarkBatch]:
    """Return the marks of rows in memory."""
    if histories.engine == "plain":
        yield histories.posted_marks
        return
    rows = histories.frame("attendance")
    inside = (nw.col("date") >= days.start) & (nw.col("date") < days.stop)
    yield from batches(collect(rows.filter(inside).select(*TEXTS, "date", "known")))


def posted_batch(columns: Mapping[str, PostedColumn]) -> MarkBatch:
    """Return the marks of posted rows, given their columns; a mark without a day of recording was known on its own day."""
    date, recorded = (_posted_days(columns[name]) for name in DATES)
    return MarkBatch(
        pupil=_posted_texts(columns["pupil_id"]),
        session=_posted_texts(columns["session"]),
        code=_posted_texts(columns["code"]),
        date=_fixed(date),
        known=_fixed(np.where(recorded == NO_DAY, date, recorded)),
    )


def _posted_texts(column: PostedColumn) -> Coded:
    coded = column if isinstance(column, CodedColumn) else CodedColumn.of_arrow(pa.array(column, pa.string()))
    return Coded(coded.values, _fixed(coded.places))


def _posted_days(column: PostedColumn) -> np.ndarray:
    days = np.array([NO_DAY if day is None else day for day in distinct(column)], np.int32)
    return days[column.places] if isinstance(column, CodedColumn) else days


def batch_of(marks: pl.DataFrame) -> MarkBatch:
    """Return the marks of a frame with ``known`` in one batch."""
    columns = marks.select(*TEXTS, "date", "known").to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
    return _batch({name: columns[name].combine_chunks() for name in columns.column_names}, Dictionaries())


def batches(marks: pl.DataFrame) -> Iterator[MarkBatch]:
    """Return the marks of a frame with ``known``, in batches."""
    for at in range(0, len(marks), ROWS):
        table = marks.slice(at, ROWS).to_arrow(compat_level=pl.CompatLevel.oldest())
        for rows in table.combine_chunks().to_batches():
            yield _batch({name: rows.column(name) for name in (*TEXTS, "date", "known")}, Dictionaries())
