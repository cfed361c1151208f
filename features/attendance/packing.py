"""Put marks into the bytes of a register, in any order; compiled by numba and cached on disk."""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np

from features.attendance.bits import SEVERAL


class Marks(NamedTuple):
    """Marks in columns of equal length.

    Attributes
    ----------
    pupil, session, code : int32 arrays
        Places in the dictionaries.
    row_of, half_of, number_of : int32 array, uint8 array, uint8 array
        Of each value of the dictionaries: the pupil's row (-1: not asked about), 1 for the afternoon, and the number of the code.
    date, known : int32 arrays
        The day of the session, and the day on which the mark was recorded.
    """

    pupil: np.ndarray
    session: np.ndarray
    code: np.ndarray
    row_of: np.ndarray
    half_of: np.ndarray
    number_of: np.ndarray
    date: np.ndarray
    known: np.ndarray


@nb.njit(cache=True, nogil=True)
def pack(sessions, first, marks):
    """Put marks into the register.

    Parameters
    ----------
    sessions : uint8 array, shape (pupils, 2 * days)
        Changed: see ``features.attendance.walk.Register``.
    first : int
        The day number of its first day; marks of other days are left out.
    marks : Marks

    Returns
    -------
    keys, known, number : int64 array, int32 array, uint8 array
        The marks of sessions that became ``SEVERAL``, or were: with the place of the session in the register, as if it were flat.
    """
    n, many, slots = 0, len(marks.date), sessions.shape[1]
    # A mark may bring the one before it along. What is not written takes no memory.
    keys, known, number = np.empty(2 * many, np.int64), np.empty(2 * many, np.int32), np.empty(2 * many, np.uint8)
    register, last, row = sessions.reshape(-1), -1, np.int64(-1)
    for i in range(many):
        pupil, date = marks.pupil[i], marks.date[i]
        if pupil != last:
            last, row = pupil, np.int64(marks.row_of[pupil])
        # Unsigned numbers need no test for places counted from the end.
        slot = np.uint64(2 * (np.int64(date) - first) + marks.half_of[np.uint32(marks.session[i])])
        if row < 0 or slot >= np.uint64(slots):  # a day before the first is a large number
            continue
        key = np.uint64(row * slots) + slot
        code, recorded, before = marks.number_of[np.uint32(marks.code[i])], marks.known[i], register[key]
        if before == 0 and recorded == date:
            register[key] = code + 1
            continue
        if before != SEVERAL:
            register[key] = SEVERAL
            if before:
                keys[n], known[n], number[n] = key, date, before - 1
                n += 1
        keys[n], known[n], number[n] = key, recorded, code
        n += 1
    return keys[:n].copy(), known[:n].copy(), number[:n].copy()
