"""The columns of a ridge regression, written by a loop that numba compiles and caches on disk: one pass where NumPy needs ten."""

from __future__ import annotations

import numba as nb
import numpy as np


@nb.njit(cache=True, nogil=True)
def write_columns(x, lines, flags, pieces, columns):
    """Write an intercept, each value standardised, a flag for each feature that may be missing, and pieces; a missing value counts as the mean.

    Parameters
    ----------
    x : float64 array, shape (features, rows)
        NaN is missing.
    lines : tuple of arrays, shape (features,)
        The mean of each feature, and one over its standard deviation.
    flags : tuple of arrays, shape (flags,)
        Features that may be missing, and the share of rows without a value.
    pieces : tuple of arrays, shape (pieces,)
        Column, start, end, centre and factor; see ``pieces.Pieces``.
    columns : float64 array, shape (1 + features + flags + pieces, rows)
        Written.
    """
    (centre, factor), (flagged, share) = lines, flags
    rows, at = x.shape[1], 1
    columns[0, :] = 1.0
    for j in range(x.shape[0]):
        for r in range(rows):
            value = (x[j, r] - centre[j]) * factor[j]
            columns[at, r] = 0.0 if np.isnan(value) else value
        at += 1
    for n in range(len(flagged)):
        scale = np.sqrt(share[n] * (1 - share[n]))
        there, missing = (0.0 - share[n]) / scale, (1.0 - share[n]) / scale
        for r in range(rows):
            columns[at, r] = missing if np.isnan(x[flagged[n], r]) else there
        at += 1
    column, start, end, piece_centre, piece_factor = pieces
    for k in range(len(column)):
        low, high = start[k], end[k]
        for r in range(rows):
            value = x[column[k], r]
            value = low if value < low else value
            value = high if value > high else value
            value = (value - low - piece_centre[k]) * piece_factor[k]
            columns[at, r] = 0.0 if np.isnan(value) else value
        at += 1
