"""Compute features on Spark's executors: Spark groups the rows of some thousand children, and Polars counts them there.

Sums over other children are added up by Spark: by school and authority on the driver, by home among the executors. So neither
rows nor counts of a child pass through the driver.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import reduce
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa

from features.catalogue import catalogue
from features.counting.blocks import counted_blocks
from features.counting.peers import AT_HOME, Sums, add_context
from features.counting.tallies import parts
from features.matrix import featured, in_polars
from features.outcome.cohort import CohortRule
from features.own_features_trial import load_own_features
from histories.calendar import day_number
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.settings import settings
from histories.tables import TABLES

PUPILS = 2000  # approximate children per block; a year of their marks takes about ten megabytes
PACKED = "block int, name string, data binary"
SUMMED_HOMES = "block int, household_id string, " + ", ".join(f"{c} long" for c in AT_HOME)


@dataclass(frozen=True, kw_only=True)
class SparkTask:
    """The work on each block. It is sent to the executors, so it holds no child's rows.

    Attributes
    ----------
    present : tuple of str
        The tables that are present.
    reference : dict
        Tables without pupils, as Arrow bytes.
    sums : dict
        ``features.counting.peers.Sums`` except homes, as Arrow bytes; empty until they are computed.
    """

    as_of: date
    rule: CohortRule | None
    known_on: date | None
    present: tuple[str, ...]
    reference: dict[str, bytes]
    sums: dict[str, bytes]

    def histories(self, tables: dict[str, pl.DataFrame]) -> Histories:
        """Open the rows of a block and load the user's own features: all work on an executor starts here."""
        load_own_features(settings().features)
        empty = Histories.from_rows({name: [] for name in self.present})
        given = {**tables, **{name: pl.read_ipc(data) for name, data in self.reference.items()}}
        return Histories(
            {n: given[n].lazy() if n in given else empty.frame(n).to_native() for n in self.present}, [], "polars"
        )

    def count(self, tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
        """Count the children of a block, and compute the sums that other blocks need."""
        day = day_number(self.as_of)
        opened, all_of_them = self.histories(tables), 10**9
        with counted_blocks(
            opened, [self.as_of], parts(catalogue().tallies), rule=self.rule, known_on=self.known_on, pupils=all_of_them
        ) as blocks:
            counts, lost = blocks[0].counts(day, None), blocks[0].lost(day)
        sums = Sums.of(counts, lost)
        frames = {"counts": counts, **{f"sums:{f.name}": getattr(sums, f.name) for f in fields(Sums)}}
        return {name: frame.to_native() for name, frame in frames.items()}

    def features(self, block: dict[str, pl.DataFrame]) -> tuple[Histories, pl.DataFrame]:
        """Return a block's histories, and tallies and features of its snapshots; see ``features.matrix.tallied``."""
        opened = self.histories({n: f for n, f in block.items() if n in TABLES})
        frames = {"homes": block["homes"], **{name: pl.read_ipc(data) for name, data in self.sums.items()}}
        sums = Sums(**{name: nw.from_native(frame) for name, frame in frames.items()})
        counts = add_context(opened, nw.from_native(block["counts"]), day_number(self.as_of), sums)
        return opened, in_polars(featured(opened, counts))


def packed(table: pl.DataFrame) -> bytes:
    """Return a frame as Arrow bytes."""
    data = io.BytesIO()
    table.write_ipc(data)
    return data.getvalue()


def by_block(work: Callable[[dict[str, pl.DataFrame]], dict[str, pl.DataFrame]]) -> Callable[[pa.Table], pa.Table]:
    """Wrap work on the frames of a block as a function on Spark's group: ``block, name, data``."""

    def run(group: pa.Table) -> pa.Table:
        frames = work(unpacked(group))
        block = pa.array([group["block"][0].as_py()] * len(frames), pa.int32())
        data = pa.array([packed(f) for f in frames.values()], pa.binary())
        return pa.table({"block": block, "name": pa.array(list(frames), pa.string()), "data": data})

    return run


def unpacked(group: pa.Table) -> dict[str, pl.DataFrame]:
    """Return the frames of a block by name."""
    return {name.as_py(): pl.read_ipc(data.as_py()) for name, data in zip(group["name"], group["data"], strict=True)}


def pack(name: str, columns: list[str]) -> Callable[[pa.Table], pa.Table]:
    """Make a function that turns a group of rows with their ``block`` into one packed frame."""

    def run(group: pa.Table) -> pa.Table:
        frame: pl.DataFrame = pl.from_arrow(group.select(columns))  # type: ignore[assignment]
        block = pa.array([group["block"][0].as_py()], pa.int32())
        return pa.table({"block": block, "name": [name], "data": pa.array([packed(frame)], pa.binary())})

    return run


@contextmanager
def counted_in_spark(
    histories: Histories, as_of: date, rule: CohortRule | None = None, known_on: date | None = None
) -> Iterator[tuple[SparkTask, Any]]:
    """Count the cohort block by block; executors keep rows and counts until the context exits.

    Parameters
    ----------
    histories : Histories
        On Spark.
    as_of, rule, known_on
        As for ``features.matrix``.

    Yields
    ------
    SparkTask, pyspark.sql.DataFrame
        What ``SparkTask.features`` needs: the frames of each block by ``block, name, data``; tables and ``counts`` and ``homes``.
    """
    reference = {
        t: packed(collect(histories.frame(t))) for t in histories.present if "pupil_id" not in TABLES[t].columns
    }
    task = SparkTask(
        as_of=as_of,
        rule=rule,
        known_on=known_on,
        present=tuple(sorted(histories.present)),
        reference=reference,
        sums={},
    )
    rows = _rows(histories, day_number(as_of)).persist()
    counted = rows.groupBy("block").applyInArrow(by_block(task.count), PACKED).persist()
    sums_table = counted.filter("name LIKE 'sums:%' AND name != 'sums:homes'").toArrow()
    homes = pl.DataFrame(schema={"household_id": pl.String, **dict.fromkeys(AT_HOME, pl.Int64)})
    whole = Sums.together(
        Sums(**{n.removeprefix("sums:"): nw.from_native(f) for n, f in {"sums:homes": homes, **block}.items()})
        for block in _each_block(sums_table)
    )
    sums = {f.name: packed(getattr(whole, f.name).to_native()) for f in fields(Sums) if f.name != "homes"}
    task = replace(task, sums=sums)
    frames = [rows, counted.filter("name = 'counts'"), _homes(counted)]
    try:
        yield task, reduce(lambda one, other: one.unionByName(other), frames)
    finally:
        for kept in (counted, rows):
            kept.unpersist()


def _rows(histories: Histories, day: int) -> Any:
    """Return the rows of all tables, grouped by block of pupils."""
    from pyspark.sql import functions as F

    children = collect(histories.frame("pupils").select(nw.len().alias("n"))).item()
    blocks = -(-children // PUPILS) or 1
    back = max(p.looks_back or day for p in parts(catalogue().tallies) if "attendance" in p.tables)
    packings = []
    for name in sorted(histories.present):
        columns = list(TABLES[name].columns)
        if "pupil_id" not in columns:
            continue
        frame = histories.frame(name)
        if name == "attendance":
            frame = frame.filter((nw.col("date") < day) & (nw.col("date") >= day - back))
        rows = frame.to_native().select(
            F.expr(f"CAST(pmod(xxhash64(pupil_id), {blocks}) AS INT)").alias("block"), *columns
        )
        packings.append(rows.groupBy("block").applyInArrow(pack(name, columns), PACKED))
    return reduce(lambda one, other: one.unionByName(other), packings)


def _homes(counted: Any) -> Any:
    """Give each block the sums of its children's homes, over the children of all blocks."""

    def unpack(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for block, data in zip(batch["block"], batch["data"], strict=True):
                homes = pl.read_ipc(data.as_py()).select(
                    pl.lit(block.as_py(), pl.Int32).alias("block"), "household_id", *AT_HOME
                )
                yield from homes.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(_arrow_homes()).to_batches()

    columns = ["household_id", *AT_HOME]
    of_block = counted.filter("name = 'sums:homes'").mapInArrow(unpack, SUMMED_HOMES)
    whole = of_block.groupBy("household_id").agg(dict.fromkeys(AT_HOME, "sum"))
    whole = whole.selectExpr("household_id", *(f"`sum({c})` AS {c}" for c in AT_HOME))
    beside = of_block.select("block", "household_id").join(whole, on="household_id").select("block", *columns)
    # A block without any home needs its frame too.
    none = counted.filter("name = 'counts'").selectExpr(
        "block", "CAST(NULL AS STRING) AS household_id", *(f"0L AS {c}" for c in AT_HOME)
    )
    return beside.unionByName(none).groupBy("block").applyInArrow(pack("homes", columns), PACKED)


def _arrow_homes() -> pa.Schema:
    return pa.schema([("block", pa.int32()), ("household_id", pa.string()), *((c, pa.int64()) for c in AT_HOME)])


def _each_block(table: pa.Table) -> Iterator[dict[str, pl.DataFrame]]:
    for block in table["block"].unique():
        yield unpacked(table.filter(pa.compute.equal(table["block"], block)))
