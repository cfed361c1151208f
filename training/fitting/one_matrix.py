"""Snapshots whose features lie in one matrix, feature after feature: whoever learns from all of them reads it, and holds no second one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl
import pyarrow as pa


def in_one_matrix(blocks: Iterable[pl.DataFrame], names: list[str], rows: int) -> pl.DataFrame:
    """Put blocks of snapshots one below another, each taken once and not kept.

    Parameters
    ----------
    blocks : iterable of polars.DataFrame
        All with the same columns.
    names : list of str
        The features.
    rows : int
        At least as many as all blocks have together.

    Returns
    -------
    polars.DataFrame
        The columns in order; a missing value of a feature is NaN. ``matrix_of`` returns the features of the whole frame without a copy.
    """
    values, beside, end = np.empty((len(names), rows)), [], 0
    for block in blocks:
        begin, end = end, end + len(block)
        for row, name in zip(values, names, strict=True):
            row[begin:end] = block[name].to_numpy()
        beside.append(block.drop(names))
    order = block.columns
    # Arrow takes NumPy's memory as it is, and Polars that of Arrow.
    features = [pl.Series(name, pl.from_arrow(pa.array(row[:end]))) for name, row in zip(names, values, strict=True)]
    return pl.concat(beside, rechunk=True).with_columns(features).select(order)
