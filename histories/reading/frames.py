"""Frames in memory on any engine: run a lazy frame and join."""

from __future__ import annotations

from typing import Any, TypeAlias

import narwhals as nw
import polars as pl

from histories.reading.plain_frame import PlainFrame

# Polars wrapped by Narwhals, or the plain lists of a request with the same methods.
Frame: TypeAlias = Any


def collect(frame: nw.LazyFrame) -> pl.DataFrame:
    """Run a lazy frame on its engine and return the result as Polars."""
    return frame.collect(backend="polars").to_native()


def gathered(frame: nw.LazyFrame) -> Frame:
    """Run a lazy frame on its engine and return the result in memory; plain lists are in memory already."""
    return frame if isinstance(frame, PlainFrame) else frame.collect(backend="polars")


def joined(left: Frame, right: Frame, on: str | list[str]) -> Frame:
    """Left-join a frame in memory to another; the rows of ``left`` keep their order."""
    if isinstance(left, PlainFrame):
        return left.join(right, on=on, how="left")
    return nw.from_native(left.to_native().join(right.to_native(), on=on, how="left", maintain_order="left"))


def side_by_side(left: Frame, right: Frame) -> Frame:
    """Put the columns of two frames in memory beside each other, whose rows are those of the same children in the same order."""
    if isinstance(left, PlainFrame):
        return PlainFrame(left.data | right.data, left.height)
    return nw.from_native(left.to_native().hstack(right.to_native()))


def days_of(frame: Frame) -> list[int]:
    """Return the distinct values of ``as_of`` (day numbers) in ascending order."""
    return sorted(frame.select("as_of").unique()["as_of"])
