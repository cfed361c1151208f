"""The feature matrix: one row per snapshot, one column per feature, nothing recorded on or after the as-of date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from features.catalogue import Catalogue, catalogue
from features.counting.block_cache import BlockStore
from features.counting.blocks import PUPILS, counted_blocks
from features.counting.peers import NEEDED, Sums, add_context
from features.counting.tallies import parts
from features.feature import Tally
from features.outcome.cohort import CohortRule
from histories.calendar import day_number, day_of
from histories.io.atomic_write import new_file
from histories.reading.frames import Frame
from histories.reading.histories import Histories
from histories.reading.plain_frame import PlainFrame

TEXTS = ("pupil_id", "urn", "authority", "household_id", "lsoa")


def matrix(
    histories: Histories,
    as_of: list[date],
    *,
    rule: CohortRule | None = None,
    known_on: date | None = None,
    pupils: int = PUPILS,
    kept: BlockStore | None = None,
    advance: Callable[..., None] = lambda steps=1, description=None: None,
) -> pa.Table:
    """Build the features of the cohort as of some days.

    Parameters
    ----------
    histories : Histories
    as_of : list of date
        The as-of dates.
    rule : CohortRule, optional
        Who is in the cohort.
    known_on : date, optional
        The day of knowledge: earlier as-of dates then include late records and corrections recorded before this day, but nothing that
        happened on or after the as-of date. By default each as-of date is its own day of knowledge.
    pupils : int
        Approximate number of children counted at a time; the result does not depend on it.
    kept : BlockStore, optional
        Keeps the counts for the next run.

    Returns
    -------
    pyarrow.Table
        ``pupil_id, as_of`` and one float64 column per feature, in the catalogue's order, sorted by day and pupil. Missing is NaN.
    """
    frames = tallied_blocks(histories, as_of, rule=rule, known_on=known_on, pupils=pupils, kept=kept, advance=advance)
    return pa.concat_tables([as_table(f) for f in frames]).combine_chunks()


def file_schema() -> pa.Schema:
    """Return the columns of the matrix: ``pupil_id, as_of`` and the features in the catalogue's order."""
    features = [(name, pa.float64()) for name in catalogue().names]
    return pa.schema([("pupil_id", pa.string()), ("as_of", pa.date32()), *features])


def as_table(frame: pl.DataFrame) -> pa.Table:
    """Return the matrix columns of a frame with tallies and features."""
    schema = file_schema()
    return frame.select(schema.names).to_arrow().cast(schema)


def write_matrix(file: Path, histories: Histories, as_of: list[date], **how) -> int:  # type: ignore[no-untyped-def]
    """Write the matrix to a Parquet file block by block and return the number of rows; the arguments are those of ``matrix``."""
    rows = 0
    with new_file(file) as beside, pq.ParquetWriter(beside, file_schema(), compression="zstd") as out:
        for frame in tallied_blocks(histories, as_of, **how):
            out.write_table(as_table(frame))
            rows += len(frame)
    return rows


def tallied(histories: Histories, as_of: list[date], **how) -> pl.DataFrame:  # type: ignore[no-untyped-def]
    """Return tallies and features together, for sentences that name both; the arguments are those of ``matrix``."""
    return pl.concat(list(tallied_blocks(histories, as_of, **how)))


def tallied_blocks(histories: Histories, as_of: list[date], **how) -> Iterator[pl.DataFrame]:  # type: ignore[no-untyped-def]
    """Yield tallies and features together by day and block of children, in the order of the matrix; see ``matrix``."""
    for frame in _counted(histories, as_of, catalogue().tallies, **how):
        yield in_polars(featured(histories, frame))


def featured(histories: Histories, frame: Frame) -> Frame:
    """Add the features to snapshots that have tallies and context."""
    features = _expressions(catalogue())
    return frame.with_columns(*(v if histories.present.issuperset(of) else absent for of, v, absent in features))


def in_polars(frame: Frame) -> pl.DataFrame:
    """Return tallies and features in Polars, with days as dates."""
    if isinstance(frame, PlainFrame):
        kinds: dict[str, Any] = dict.fromkeys(frame.columns, pl.Int64) | dict.fromkeys(TEXTS, pl.String)
        kinds |= dict.fromkeys(catalogue().names, pl.Float64) | {"as_of": pl.Date}
        columns = frame.data | {"as_of": list(map(day_of, frame["as_of"]))}
        polars = pl.DataFrame(list(zip(*columns.values(), strict=True)), {c: kinds[c] for c in columns}, orient="row")
    else:
        polars = frame.to_native().with_columns(pl.col("as_of").cast(pl.Int32).cast(pl.Date))
    # A user's expression may divide by zero; a model cannot learn from infinity, nor can a bundle store it.
    own = [pl.col(f.name) for f in catalogue().own_features.features]
    finite = [pl.when(value.is_finite()).then(value).name.keep() for value in own]
    return polars.with_columns(*finite) if finite else polars


def counted(histories: Histories, as_of: list[date], *, tallies: dict[str, Tally]) -> pl.DataFrame:
    """Return the snapshots with some tallies and their context, from which features are computed; see ``matrix``."""
    return pl.concat([frame.to_native() for frame in _counted(histories, as_of, tallies)])


def _counted(histories: Histories, as_of: list[date], tallies: dict[str, Tally], **how) -> Iterator[Frame]:  # type: ignore[no-untyped-def]
    with counted_blocks(histories, as_of, parts(tallies), **how) as blocks:
        for day in sorted({day_number(d) for d in as_of}):
            sums = Sums.together(Sums.of(b.counts(day, NEEDED), b.lost(day)) for b in blocks)
            for block in blocks:
                yield add_context(histories, block.counts(day, None), day, sums)


@cache
def _expressions(of: Catalogue) -> tuple[tuple[tuple[str, ...], nw.Expr, nw.Expr], ...]:
    """Return of each feature the tables that it needs, its expression, and the one that stands for it without one of them."""
    absent = nw.lit(None, nw.Float64)
    return tuple((f.sources, f.value().alias(f.name), absent.alias(f.name)) for f in of.features)
