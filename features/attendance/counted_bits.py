"""Sessions since a child joined its school, or of two weeks, counted in the bits of the newest days."""

from __future__ import annotations

import narwhals as nw
import polars as pl

from features.attendance.bits import BITS, COUNTED_BITS
from histories.reading.frames import Frame
from histories.reading.plain_frame import PlainFrame

FORTNIGHT = 14


def with_counted_bits(frame: Frame) -> Frame:
    """Add the child's possible and unexplained sessions of the days since joining the school (at most ``BITS``), and the unexplained ones of two weeks.

    Narwhals has no bitwise operations, so each engine counts by its own.
    """
    days = {name: None if name.startswith("joined") else FORTNIGHT for name in COUNTED_BITS}
    if isinstance(frame, PlainFrame):
        counts = {
            name: [
                _count(*row)
                for row in zip(
                    frame[bits], frame["newest_entry"] if days[name] is None else [days[name]] * len(frame), strict=True
                )
            ]
            for name, bits in COUNTED_BITS.items()
        }
        return PlainFrame({**frame.data, **counts}, len(frame))
    joined = pl.col("newest_entry")
    of = (
        _newest(pl.col(bits), joined if days[name] is None else pl.lit(FORTNIGHT)).alias(name)
        for name, bits in COUNTED_BITS.items()
    )
    return nw.from_native(frame.to_native().with_columns(*of), eager_only=True)


def _count(bits: int | None, days: int | None) -> int | None:
    if bits is None or days is None:
        return None
    return (bits & (4 ** min(max(days, 0), BITS) - 1)).bit_count()


def _newest(bits: pl.Expr, days: pl.Expr) -> pl.Expr:
    of_days = pl.lit(4, pl.Int64).pow(days.clip(0, BITS).cast(pl.Int64)) - 1
    return (bits & of_days.cast(pl.Int64)).bitwise_count_ones().cast(pl.Int64)
