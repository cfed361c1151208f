"""Write large Parquet files of random marks quickly, in the layout of a register.

Absence comes in spells at a rate that varies between children. 0.5% of marks are recorded days late, and a second row later corrects half of
the unexplained absences. Rows are sorted by pupil, date and session, and written as by ``onroll simulate``.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from histories.calendar import day_number, school_days
from histories.population.attendance import SCHEMA

PUPILS = 1000  # pupils per written block
CODES = ("/", "\\", "L", "B", "P", "V", "I", "M", "C", "C2", "E", "G", "O", "N", "U", "X")
LATE, UNEXPLAINED, ILL = CODES.index("L"), CODES.index("N"), CODES.index("I")
PRESENT = np.r_[np.full(18, LATE), np.full(3, 3), np.full(2, 4), np.full(9, 5), np.full(5, 15)]  # per 1000 marks
ABSENT = np.repeat(np.arange(6, 15), [46, 9, 8, 2, 2, 6, 20, 4, 3])  # per 100 spells of absence
OPTIONS = {
    "compression": "zstd",
    "use_dictionary": ["pupil_id", "session", "code"],
    "column_encoding": {"date": "DELTA_BINARY_PACKED", "recorded_on": "DELTA_BINARY_PACKED"},
}


def pupil_ids(first: int, many: int) -> list[str]:
    """Return keys in sorted order."""
    return [f"P{i:08d}" for i in range(first, first + many)]


def write_marks(file: Path, pupils: int, first: date, last: date, seed: int = 1) -> int:
    """Write every session of the school days between two days for each pupil; return the number of rows."""
    days = np.array([day_number(d) for d in school_days(first, last)], np.int32)
    rng = np.random.Generator(np.random.SFC64(seed))
    rows = 0
    with pq.ParquetWriter(file, SCHEMA, store_schema=False, **OPTIONS) as parquet:
        for at in range(0, pupils, PUPILS):
            many = min(PUPILS, pupils - at)
            table = _table(rng, pupil_ids(at, many), days)
            parquet.write_table(table, row_group_size=1_000_000)
            rows += table.num_rows
    return rows


def _table(rng: np.random.Generator, ids: list[str], days: np.ndarray) -> pa.Table:
    code = _codes(rng, len(ids), len(days)).reshape(-1)
    n = len(code)
    pupil = np.repeat(np.arange(len(ids), dtype=np.int32), 2 * len(days))
    date_of = np.tile(np.repeat(days, 2), len(ids))
    recorded = date_of.copy()
    late = rng.integers(0, n, n // 200)
    recorded[late] += rng.integers(1, 15, len(late), dtype=np.int32)
    corrected = np.flatnonzero((code == UNEXPLAINED) & (rng.random(n, np.float32) < 0.5))
    # A correction is a second row directly after the first.
    take = np.sort(np.r_[np.arange(n), corrected])
    second = np.flatnonzero(take[1:] == take[:-1]) + 1
    code, recorded = code[take], recorded[take]
    code[second] = ILL
    recorded[second] += rng.integers(1, 30, len(second), dtype=np.int32)
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(pupil[take]), pa.array(ids)),
        pa.array(date_of[take]).cast(pa.date32()),
        pa.DictionaryArray.from_arrays(pa.array((take % 2).astype(np.int8)), pa.array(["AM", "PM"])),
        pa.DictionaryArray.from_arrays(pa.array(code), pa.array(CODES)),
        pa.array(recorded).cast(pa.date32()),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _codes(rng: np.random.Generator, pupils: int, days: int) -> np.ndarray:
    """Return a code's index for each pupil, day and session, shape (pupils, days, 2)."""
    rate = rng.gamma(0.8, 0.045, (pupils, 1)).astype(np.float32).clip(0.002, 0.4)
    begins = rng.random((pupils, days), np.float32) < rate
    length = rng.geometric(0.45, (pupils, days)).astype(np.int32)
    place = np.arange(days, dtype=np.int32)
    until = np.maximum.accumulate(np.where(begins, place + length, 0), axis=1)
    spell_start = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    absent = until > place
    reason = np.take_along_axis(ABSENT[rng.integers(0, len(ABSENT), (pupils, days))].astype(np.int8), spell_start, 1)
    present = np.full((pupils, days, 2), [0, 1], np.int8)
    other = rng.integers(0, 1000, (pupils, days, 2), np.int16)
    odd = other < len(PRESENT)
    present[odd] = PRESENT[other[odd]]
    half = rng.random((pupils, days, 1), np.float32) < 0.1
    away = absent[:, :, None] & ~(half & np.array([True, False]))
    return np.where(away, reason[:, :, None], present)
