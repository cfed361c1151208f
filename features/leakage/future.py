"""Rewrite the future: change, delete and add rows recorded on or after a day, and keep the past as it was known."""

from __future__ import annotations

import zlib
from collections.abc import Collection

import numpy as np
import polars as pl

from histories.codes import code_set
from histories.tables import TABLES, Column, Table

KINDS = {
    "changed": "rows recorded on or after the day get other dates and values",
    "deleted": "rows recorded on or after the day are deleted",
    "ended": "ends and answers that were not known before the day are moved, removed or added",
    "corrected": "rows known before the day are corrected on the day or later",
    "added": "rows about other days and children are added, recorded on the day or later",
    "newcomers": "rows of unknown children are added, recorded on the day or later",
}
NEWCOMER = "~newcomer"
WAITS = np.array([0, 0, 0, 1, 7, 60, 200])  # days from the as-of date to the recording; the day itself most often
SHARE = 0.2  # share of rows that are corrected or copied
MIN = 50  # smaller tables are taken whole


def has_clock(table: str) -> bool:
    """Return whether a table has a recording date, and so a future."""
    return TABLES[table].known_from[:1] in (("recorded_on",), ("reported_on",))


def other_future(
    table: str, frame: pl.DataFrame, day: int, kinds: Collection[str], seed: int
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return a table with its future rewritten from a day on.

    Parameters
    ----------
    table : str
    frame : polars.DataFrame
        The table in canonical form: dates as day numbers, ``known`` and ``end_known`` (see ``histories.reading.histories``).
    day : int
        Rows with ``known < day`` are the past; everything visible of them before the day is kept.
    kinds : collection of str
        Keys of ``KINDS``.
    seed : int
        The same table, kind and seed give the same rows; other kinds do not affect them.

    Returns
    -------
    polars.DataFrame, dict
        The declared columns, and the number of rows that each kind changed.
    """
    if not has_clock(table):
        return _newcomers_only(table, frame, kinds)
    declared = TABLES[table]
    rng = {k: np.random.default_rng([seed, zlib.crc32(f"{table} {k}".encode())]) for k in (*KINDS, "coin")}
    past, late = frame.filter(pl.col("known") < day), frame.filter(pl.col("known") >= day)
    # Change one half of the late rows and delete the other, so that neither effect hides the other.
    coin = pl.Series(rng["coin"].random(late.height) < 0.5, dtype=pl.Boolean)
    half, other = late.filter(coin), late.filter(~coin)
    parts, touched = {"past": past, "half": half, "other": other}, dict.fromkeys(kinds, 0)
    if "changed" in kinds:
        parts["half"] = _recorded(_scrambled(half, declared, rng["changed"]), declared, day, rng["changed"])
        touched["changed"] = half.height
    if "deleted" in kinds:
        parts["other"], touched["deleted"] = other.clear(), other.height
    if "ended" in kinds:
        parts["past"], touched["ended"] = _ended(past, declared, day, rng["ended"])
    for kind, pattern in (("corrected", past), ("added", frame), ("newcomers", frame)):
        if kind in kinds:
            parts[kind] = _copied(kind, pattern, declared, day, rng[kind])
            touched[kind] = parts[kind].height
    return pl.concat(p.select(list(declared.columns)) for p in parts.values()), touched


def _newcomers_only(table: str, frame: pl.DataFrame, kinds: Collection[str]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Reference data and pupils have no recording date; only children unknown to every other table may be added."""
    frame = frame.select(list(TABLES[table].columns))
    if table != "pupils" or "newcomers" not in kinds:
        return frame, {}
    more = frame.with_columns(pl.col("pupil_id") + NEWCOMER)
    return pl.concat([frame, more]), {"newcomers": more.height}


def _copied(
    kind: str, pattern: pl.DataFrame, declared: type[Table], day: int, rng: np.random.Generator
) -> pl.DataFrame:
    """Copy some rows, recorded on the day or later."""
    most = max(MIN, int(pattern.height * SHARE))
    rows = pattern[np.sort(rng.permutation(pattern.height)[:most]).tolist()]
    if kind == "corrected":
        rows = _scrambled(rows, declared, rng, keep=declared.key)
    elif kind == "added":
        rows = _scrambled(rows, declared, rng).with_columns(
            pl.Series("pupil_id", rng.permutation(rows["pupil_id"].to_numpy()), dtype=pl.String)
        )
    else:
        rows = rows.with_columns(pl.col("pupil_id") + NEWCOMER)
    return _recorded(rows, declared, day, rng)


def _recorded(rows: pl.DataFrame, declared: type[Table], day: int, rng: np.random.Generator) -> pl.DataFrame:
    """Set the recording dates of rows, and of their ends, to the day or later."""
    clocks = [declared.known_from[0]] + ([declared.end_known_from[0]] if _end_clock(declared) else [])
    return rows.with_columns(_days_from(c, day, rows.height, rng) for c in clocks)


def _end_clock(declared: type[Table]) -> bool:
    """Return whether an end has its own recording date."""
    return declared.end is not None and declared.end_known_from[0] != declared.end


def _days_from(name: str, day: int, n: int, rng: np.random.Generator) -> pl.Series:
    return pl.Series(name, day + rng.choice(WAITS, n), dtype=pl.Int32)


def _scrambled(
    rows: pl.DataFrame, declared: type[Table], rng: np.random.Generator, keep: tuple[str, ...] = ("pupil_id",)
) -> pl.DataFrame:
    """Replace the values of every column outside the key."""
    return rows.with_columns(_other(rows[c.name], c, rng) for c in declared.columns.values() if c.name not in keep)


def _other(values: pl.Series, column: Column, rng: np.random.Generator) -> pl.Series:
    """Return other values for a column: dates near its own, codes of its set, or a shuffle of its values."""
    n = len(values)
    if column.kind == "date":
        near = values.cast(pl.Int64) + pl.Series(rng.integers(-400, 100, n), dtype=pl.Int64)
        return near.cast(pl.Int32).alias(values.name)
    if column.kind == "boolean":
        return pl.Series(values.name, rng.random(n) < 0.5, dtype=pl.Boolean)
    if column.kind == "integer":
        return (values + pl.Series(rng.integers(-1, 9, n), dtype=pl.Int64)).clip(lower_bound=0).alias(values.name)
    among = list(code_set(column.codes)) if column.codes else values.drop_nulls().unique().sort().to_list()
    drawn = rng.integers(0, len(among), n) if among else np.zeros(0, int)
    chosen = [among[i] for i in drawn] if among else [f"another {column.name}"] * n
    return pl.Series(values.name, chosen, dtype=pl.String)


def _ended(past: pl.DataFrame, declared: type[Table], day: int, rng: np.random.Generator) -> tuple[pl.DataFrame, int]:
    """Move, remove or add ends and later stages that were not known before the day."""
    touched = 0
    parts = [(s.date, s.columns, pl.col(s.date), False) for s in declared.stages]
    if declared.end:
        parts.append((declared.end, declared.end_columns, pl.col("end_known"), _end_clock(declared)))
    if declared.stages:
        # The row's own recording date may be that of a stage; keep it.
        past = past.with_columns(pl.coalesce("recorded_on", "known").alias("recorded_on"))
    for date, columns, recorded, own_clock in parts:
        open_ = past.select(recorded.is_null() | (recorded >= day)).to_series()
        choice = pl.Series(rng.integers(0, 3, past.height))
        others = [_other(past[c], declared.columns[c], rng) for c in columns if c != date]
        # An end with its own recording date may have happened long before it was recorded.
        back = rng.integers(0, 120 if own_clock else 1, past.height)
        others.append(_days_from(date, day, past.height, rng) - pl.Series(date, back, dtype=pl.Int32))
        if own_clock:
            others.append(_days_from(declared.end_known_from[0], day, past.height, rng))
        past = past.with_columns(
            pl.when(open_ & (choice == 1))
            .then(None)
            .when(open_ & (choice == 2))
            .then(o)
            .otherwise(pl.col(o.name))
            .alias(o.name)
            for o in others
        )
        touched += int((open_ & (choice > 0)).sum())
    return past, touched
