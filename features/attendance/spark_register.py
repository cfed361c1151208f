"""Fill a register from Spark: executors pack plain presence into words, and only other marks come to the driver as rows."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa

from features.attendance.collector import MarkCollector
from histories.reading.frames import collect
from histories.reading.histories import Histories
from histories.reading.marks import batches

SPAN = 24  # days in one word: two bits a day, which leaves room for sums over tens of thousands of duplicate marks


def collect_from_spark(histories: Histories, marks: MarkCollector, plain: list[str]) -> None:
    """Collect the marks of the children in a register.

    Parameters
    ----------
    plain : list of str
        The codes that count as presence and as nothing else.
    """
    rows = _rows(histories, marks)
    prompt = nw.col("code").is_in(plain) & (nw.col("known") == nw.col("date"))
    bits, counts = _words(rows.filter(prompt), marks)
    others = rows.select("pupil_id", "row", "date", "session", "code", "known")
    odd = collect(others.filter(~prompt))
    # The sum of n different powers of two has n bits set; fewer bits mean duplicate marks.
    twice = (np.bitwise_count(bits) != counts).any(axis=1)
    # Where another mark was recorded on the day too, the codes decide, and a bit does not say which it stands for.
    same_day = odd.filter(pl.col("known") == pl.col("date"))
    at = 2 * (same_day["date"].to_numpy() - marks.days.start) + (same_day["session"] == "PM").to_numpy()
    row = same_day["row"].to_numpy()
    twice[row[bits[row, at // (2 * SPAN)] >> at % (2 * SPAN) & 1 == 1]] = True
    if twice.any():  # of these few children every mark comes as a row
        bits[twice] = 0
        those = np.flatnonzero(twice)
        few = histories.given(pa.table({"row": pa.array(those, pa.int32())}))
        all_of_them = collect(others.join(few, on="row", how="semi"))
        odd = pl.concat([odd.filter(~pl.col("row").is_in(those)), all_of_them])
    present = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")
    of_each = present.reshape(len(bits), -1, 64)[:, :, : 2 * SPAN].reshape(len(bits), -1)
    marks.sessions[:] = of_each[:, : marks.sessions.shape[1]] * np.uint8(marks.numbers[plain[0]] + 1)
    for batch in batches(odd):
        marks.take(batch)


def _rows(histories: Histories, marks: MarkCollector) -> nw.LazyFrame:
    """Return the children's marks with each child's row, and each session's word and bit."""
    at = range(len(marks.days))
    calendar = {
        "date": pa.array(marks.days, pa.int32()),
        "word": pa.array([a // SPAN for a in at], pa.int32()),
        "morning": pa.array([1 << 2 * (a % SPAN) for a in at], pa.int64()),
        "afternoon": pa.array([2 << 2 * (a % SPAN) for a in at], pa.int64()),
    }
    children = {"pupil_id": pa.array(list(marks.rows)), "row": pa.array(list(marks.rows.values()), pa.int32())}
    bit = nw.when(nw.col("session") == "PM").then(nw.col("afternoon")).otherwise(nw.col("morning"))
    rows = histories.frame("attendance").join(histories.given(pa.table(calendar)), on="date", how="inner")
    return rows.join(histories.given(pa.table(children)), on="pupil_id", how="inner").with_columns(bit.alias("bit"))


def _words(rows: nw.LazyFrame, marks: MarkCollector) -> tuple[np.ndarray, np.ndarray]:
    """Return, by child and word, the sum of the bits of the sessions with a mark, and the number of marks."""
    shape = (len(marks.rows), -(-len(marks.days) // SPAN))
    bits, counts = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    sums = nw.len().cast(nw.Int64).alias("n"), nw.col("bit").sum().cast(nw.Int64).alias("bits")
    words = collect(rows.group_by("row", "word").agg(*sums))
    at = (words["row"].to_numpy(), words["word"].to_numpy())
    bits[at], counts[at] = words["bits"].to_numpy(), words["n"].to_numpy()
    return bits, counts
