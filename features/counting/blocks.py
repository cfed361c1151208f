"""Count children in blocks, one after another, so that a country needs no more memory than a city."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl

from features.counting.block_cache import BlockStore, fingerprint
from features.counting.row_digest import RowDigests
from features.counting.tallies import KEYS, TallyPart, lost_children
from features.outcome.cohort import CohortRule, snapshots_of
from histories.calendar import day_number
from histories.reading.frames import Frame, collect, side_by_side
from histories.reading.histories import Histories

LOST = ["urn", "lsoa", "lost_730"]
PUPILS = 50_000  # approximate children per block


@dataclass(frozen=True)
class Block:
    """The counts of one block of children.

    Attributes
    ----------
    counts : callable
        Takes a day and columns (None for all); returns one row per snapshot of the day, sorted by child: the cohort's columns and
        the counts.
    lost : callable
        Takes a day; returns ``urn, lsoa, lost_730``.
    """

    counts: Callable[[int, tuple[str, ...] | None], Frame]
    lost: Callable[[int], Frame]


@contextmanager
def counted_blocks(
    histories: Histories,
    as_of: list[date],
    parts: list[TallyPart],
    *,
    rule: CohortRule | None = None,
    known_on: date | None = None,
    pupils: int = PUPILS,
    kept: BlockStore | None = None,
    advance: Callable[..., None] = lambda steps=1, description=None: None,
) -> Iterator[list[Block]]:
    """Count every block of the cohort; blocks can be read until the context exits.

    Parameters
    ----------
    parts : list of TallyPart
        What to count.
    pupils : int
        Approximate number of children per block.
    kept : BlockStore, optional
        Keeps counts for the next run (DuckDB only). Without it a single block stays in memory, and several are written to a
        temporary folder.
    """
    edges, days = cut(histories, pupils), sorted({day_number(d) for d in as_of})
    ranges = list(zip([None, *edges], [*edges, None], strict=True))
    kept = kept if histories.engine == "duckdb" else None
    # Creating a folder takes as long as the features of one posted child, and a single block needs none.
    with tempfile.TemporaryDirectory(prefix="onroll-") if edges and not kept else nullcontext() as waiting:
        store = kept or (BlockStore(Path(waiting)) if waiting else None)
        blocks = []
        for number, (low, high) in enumerate(ranges, 1):
            advance(description=f"features: block {number} of {len(ranges)}")
            with histories.between(low, high) as chunk:
                held = chunk.in_memory()
                snapshots = snapshots_of(held, as_of, rule, known_on)
                if store is None:
                    blocks.append(_in_memory(held, snapshots, parts, days, known_on))
                    continue
                # A temporary folder holds no other run's counts, so the block's number serves as its digest.
                alone = dict.fromkeys(days, f"block {number}")
                rows = (
                    RowDigests(chunk, days, known_on, store).of
                    if kept
                    else lambda tables, looks_back, alone=alone: alone
                )
                blocks.append(
                    _in_store(
                        histories=held,
                        snapshots=snapshots.to_native(),
                        parts=parts,
                        days=days,
                        known_on=known_on,
                        store=store,
                        rows=rows,
                    )
                )
        if kept:
            kept.forget()
        yield blocks


def cut(histories: Histories, pupils: int) -> list[str]:
    """Return the first child of every block but the first.

    Borders follow from the keys themselves (content-defined chunking with a minimum size): a child who comes or goes moves only
    the borders nearby, so that blocks counted earlier stay valid.
    """
    if histories.engine == "plain":
        return []
    keys = collect(histories.frame("pupils").select("pupil_id").unique())["pupil_id"].sort()
    if len(keys) <= pupils:
        return []
    step = max(pupils // 8, 1)
    possible = np.flatnonzero((keys.hash(seed=0) % step == 0).to_numpy())
    edges: list[str] = []
    begun = 0
    while (n := int(np.searchsorted(possible, begun + max(pupils - step, 1)))) < len(possible):
        begun = int(possible[n])
        edges.append(keys[begun])
    return edges


def _in_memory(
    histories: Histories, snapshots: Frame, parts: list[TallyPart], days: list[int], known_on: date | None
) -> Block:
    frame = snapshots
    for part in parts:
        frame = side_by_side(frame, counted(histories, snapshots, part, list(part.columns), known_on).drop(*KEYS))
    lost = lost_children(histories, days, known_on)

    def counts(day: int, columns: tuple[str, ...] | None = None) -> Frame:
        of_day = frame.filter(nw.col("as_of") == day)
        return of_day if columns is None else of_day.select(*columns)

    return Block(counts, lambda day: lost.filter(nw.col("as_of") == day).drop("as_of"))


def counted(
    histories: Histories, snapshots: Frame, part: TallyPart, columns: list[str], known_on: date | None
) -> Frame:
    """Count columns of a part for each snapshot, in their order: null if the table is absent, zero if a sum has no rows."""
    frame = snapshots.select(KEYS)
    present = part.tables[0] in histories.present
    if present and len(frame):
        reads = histories.opened if "attendance" in part.tables else histories
        counts = part.count(reads, frame, columns, known_on)
        frame = counts.select(*KEYS, *_typed(tuple(columns), part.kind))
    else:
        frame = frame.with_columns(*_missing(tuple(columns), part.kind))
    return frame.with_columns(*_filled(tuple(c for c in columns if present and c in part.zero)))


# To make the expressions of a request takes as long as to compute them for one child.
@cache
def _typed(columns: tuple[str, ...], kind: Any) -> tuple[nw.Expr, ...]:
    return tuple(nw.col(c).cast(kind) for c in columns)


@cache
def _missing(columns: tuple[str, ...], kind: Any) -> tuple[nw.Expr, ...]:
    return tuple(nw.lit(None, kind).alias(c) for c in columns)


@cache
def _filled(columns: tuple[str, ...]) -> tuple[nw.Expr, ...]:
    return tuple(nw.col(c).fill_null(0) for c in columns)


def _in_store(
    histories: Histories,
    snapshots: pl.DataFrame,
    parts: list[TallyPart],
    days: list[int],
    known_on: date | None,
    *,
    store: BlockStore,
    rows: Callable[[tuple[str, ...], int | None], dict[int, str]],
) -> Block:
    """Count what the store lacks, part by part, and return a block that reads it."""
    by_day = {day: snapshots.filter(pl.col("as_of") == day) for day in days}
    who = {day: fingerprint(frame.select(KEYS)) for day, frame in by_day.items()}
    files: dict[int, dict[str, list[str]]] = {}
    for day, frame in by_day.items():
        key = store.key("cohort", fingerprint(frame))
        if not store.held(key):
            store.write(key, frame, dict.fromkeys(frame.columns, ""))
        files[day] = {key: frame.columns}
    for part in parts:
        seen = rows(part.tables, part.looks_back)
        keys = {day: store.key(part.name, seen[day], who[day], day, known_on) for day in days}
        _count_lacking(histories=histories, snapshots=snapshots, part=part, keys=keys, known_on=known_on, store=store)
        for day in days:
            files[day][keys[day]] = list(part.columns)

    def counts(day: int, columns: tuple[str, ...] | None = None) -> Frame:
        chosen = {k: [c for c in names if columns is None or c in columns] for k, names in files[day].items()}
        return _frame(pl.concat([store.read(k, names) for k, names in chosen.items() if names], how="horizontal"))

    seen = rows(("enrolments", "addresses"), None)
    lost = {day: store.key("lost", seen[day], day, known_on) for day in days}
    todo = [day for day in days if not store.held(lost[day])]
    if todo:
        leavers = lost_children(histories, todo, known_on).to_native().sort("urn", "lsoa")
        for day in todo:
            store.write(lost[day], leavers.filter(pl.col("as_of") == day).drop("as_of"), dict.fromkeys(LOST, ""))
    return Block(counts, lambda day: _frame(store.read(lost[day], LOST)))


def _count_lacking(
    histories: Histories,
    snapshots: pl.DataFrame,
    part: TallyPart,
    keys: dict[int, str],
    known_on: date | None,
    store: BlockStore,
) -> None:
    """Count the columns that a part's files lack, on the days that lack any, and write them with those that are still valid."""
    held = {day: store.held(key) for day, key in keys.items()}
    lacking = {day: [c for c, d in part.columns.items() if held[day].get(c) != d] for day in keys}
    todo = [day for day in keys if lacking[day]]
    store.counted, store.reused = store.counted + len(todo), store.reused + len(keys) - len(todo)
    if not todo:
        return
    columns = [c for c in part.columns if any(c in lacking[day] for day in todo)]
    chosen = _frame(snapshots.filter(pl.col("as_of").is_in(todo)))
    fresh = counted(histories, chosen, part, columns, known_on).to_native()
    for day in todo:
        now = fresh.filter(pl.col("as_of") == day).select(columns)
        stays = {c: d for c, d in held[day].items() if c not in columns and c in part.columns}
        before = [store.read(keys[day], list(stays))] if stays else []
        digests = {**stays, **{c: part.columns[c] for c in columns}}
        store.write(keys[day], pl.concat([*before, now], how="horizontal"), digests)


def _frame(polars: pl.DataFrame) -> Frame:
    return nw.from_native(polars, eager_only=True)
