"""Rows of numbers in few bytes, and the same to the bit when they are read: most are small whole numbers, or shares of two of them.

A row is one byte a number, then what did not fit in these bytes, deflated. A byte below ``MISSING`` is the number itself. Bytes are combined with
those of a typical row by exclusive or, so that most of them become 0; whoever packs keeps that row.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np

MISSING, WORD, SHARE, WORDS, WHOLE = 250, 251, 252, 253, 254
SIZES = {WORD: 2, SHARE: 2, WORDS: 4, WHOLE: 8}  # bytes that follow
BYTE, SHORT = 2**8, 2**16
STEPS = 14  # of the continued fraction: enough for every share of two numbers below ``SHORT``
LEVEL = 6
RAW = -15  # deflate without a header: what is packed here has a check of its own


def pack_rows(numbers: np.ndarray, typical: bytes) -> list[bytes]:
    """Pack each row.

    Parameters
    ----------
    numbers : float array, shape (rows, columns)
        NaN is missing.
    typical : bytes
        One byte a column.

    Examples
    --------
    >>> typical = bytes([2, SHARE, WHOLE])
    >>> [unpack_row(row, typical) for row in pack_rows(np.array([[3.0, 1 / 3, 0.1]]), typical)]
    [[3.0, 0.3333333333333333, 0.1]]
    """
    numbers = np.ascontiguousarray(numbers, dtype="<f8")
    upper, lower = _shares(numbers)
    kinds = _kinds(numbers, upper, lower)
    follows = np.zeros(256, dtype=np.int64)
    follows[list(SIZES)] = list(SIZES.values())
    ends = np.cumsum(follows[kinds].ravel())
    starts = np.r_[0, ends[:-1]]
    rest = np.zeros(ends[-1] if len(ends) else 0, dtype=np.uint8)
    for kind, of_kind in (
        (WORD, numbers),
        (SHARE, upper + BYTE * lower),
        (WORDS, upper + SHORT * lower),
        (WHOLE, numbers),
    ):
        at = np.flatnonzero(kinds == kind)
        size = SIZES[kind]
        written = of_kind.ravel()[at].astype("<f8" if kind == WHOLE else f"<u{size}")
        rest[starts[at][:, None] + np.arange(size)] = written.view(np.uint8).reshape(-1, size)
    of_rows = np.r_[0, ends.reshape(numbers.shape)[:, -1]] if numbers.size else np.zeros(len(numbers) + 1, dtype=int)
    kinds = kinds ^ np.frombuffer(typical, dtype=np.uint8)
    of_row = zip(kinds, of_rows[:-1].tolist(), of_rows[1:].tolist(), strict=True)
    return [_deflated(kinds_of_row.tobytes() + rest[a:b].tobytes()) for kinds_of_row, a, b in of_row]


def unpack_row(packed: bytes, typical: bytes) -> list[float]:
    """Return a row that was packed with the same typical row; NaN is missing.

    Raises
    ------
    zlib.error
        If it is damaged.
    """
    content = zlib.decompress(packed, RAW)
    at, row = len(typical), []
    try:
        for kind in (byte ^ of_typical for byte, of_typical in zip(content, typical, strict=False)):
            if kind < MISSING:
                row.append(float(kind))
            elif kind == MISSING:
                row.append(float("nan"))
            else:
                row.append(_read(kind, content, at))
                at += SIZES[kind]
    except (KeyError, ZeroDivisionError, struct.error) as error:
        raise zlib.error("the packed numbers are damaged") from error
    if at != len(content):
        raise zlib.error("the packed numbers are incomplete")
    return row


def _read(kind: int, content: bytes, at: int) -> float:
    if kind == WHOLE:
        return float(struct.unpack_from("<d", content, at)[0])
    if kind == WORD:
        return float(struct.unpack_from("<H", content, at)[0])
    upper, lower = struct.unpack_from("<BB" if kind == SHARE else "<HH", content, at)
    return float(upper / lower)


def _deflated(content: bytes) -> bytes:
    # A small window: of a larger one, most of the time would go into clearing it.
    packing = zlib.compressobj(LEVEL, zlib.DEFLATED, -10, 3)
    return packing.compress(content) + packing.flush()


def _kinds(numbers: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Return the byte of each number: itself, or how it is written."""
    with np.errstate(invalid="ignore"):
        counts = (numbers == np.floor(numbers)) & ~np.signbit(numbers)
        kinds = np.full(numbers.shape, WHOLE, dtype=np.uint8)
        kinds[(lower > 0)] = WORDS
        kinds[(lower > 0) & (lower < BYTE) & (upper < BYTE)] = SHARE
        kinds[counts & (numbers < SHORT)] = WORD
        small = counts & (numbers < MISSING)
        kinds[small] = numbers[small].astype(np.uint8)
    kinds[np.isnan(numbers)] = MISSING
    return kinds


def _shares(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two whole numbers below ``SHORT`` whose quotient each number is; 0 and 0 where there are none."""
    found_upper, found_lower = (np.zeros(numbers.size, dtype=np.int64) for _ in range(2))
    flat = numbers.ravel()
    with np.errstate(invalid="ignore"):
        at = np.flatnonzero((flat > 0) & (flat < SHORT) & (flat != np.floor(flat)))
    number = flat[at]
    before, upper = np.ones(len(at)), np.floor(number)
    lower_before, lower = np.zeros(len(at)), np.ones(len(at))
    rest = number - upper
    for _ in range(STEPS):
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            whole = np.floor(1 / rest)
            rest = 1 / rest - whole
            before, upper = upper, whole * upper + before
            lower_before, lower = lower, whole * lower + lower_before
            done = upper / lower == number
        fits = (upper < SHORT) & (lower < SHORT)
        found_upper[at[done & fits]], found_lower[at[done & fits]] = upper[done & fits], lower[done & fits]
        goes_on = fits & ~done
        if not goes_on.any():
            break
        at, number, rest = at[goes_on], number[goes_on], rest[goes_on]
        before, upper, lower_before, lower = (v[goes_on] for v in (before, upper, lower_before, lower))
    return found_upper.reshape(numbers.shape), found_lower.reshape(numbers.shape)


def matrix_of(rows: Sequence[bytes], typical: bytes) -> np.ndarray:
    """Return packed rows as an array, shape (rows, columns)."""
    return np.array([unpack_row(row, typical) for row in rows]).reshape(len(rows), len(typical))
