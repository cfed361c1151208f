"""Walk a child's sessions backwards from a day and count those in each window; compiled by numba and cached on disk."""

from __future__ import annotations

import numba as nb
import numpy as np

from features.attendance.bits import (
    ABSENT,
    BITS,
    BREAK,
    NEWEST,
    NEWEST_SESSIONS,
    POSSIBLE,
    RECENT,
    SPAN,
    SUMMER,
    UNAUTHORISED,
    UNDEFINED,
    UNEXPLAINED,
    UNIT,
)

FIGURES = len(NEWEST)


@nb.njit(cache=True, nogil=True)
def walk(
    words,
    first,
    keys,
    recorded,
    code,
    kinds,
    starts,
    slots,
    pupil,
    as_of,
    cut,
    september,
    windows,
    measures,
    weights,
    prior,
    prior_sessions,
):
    """Count sessions in the windows before each snapshot.

    Parameters
    ----------
    words : int64 array, shape (pupils, words)
        Bit ``2 * day + PM`` is set if a mark was recorded on its own day; the day is counted within a word of ``SPAN`` days.
    first : int
        The day number of the first bit.
    keys, recorded, code : arrays, shape (marks,)
        Every mark except plain presence recorded on its day: ``slots * pupil + 2 * (date - first) + PM``, ascending, the day
        it was recorded, and the number of its code.
    kinds : int64 array
        The measures of each code, one bit each.
    starts : int64 array, shape (pupils + 1,)
        Index of each pupil's first mark.
    slots : int
        Sessions reserved for each pupil in the keys.
    pupil, as_of, cut, september : int64 arrays, shape (snapshots,)
        The pupil's row, the as-of date, the day before which a mark must be recorded, and the first day of the school year.
    windows : int64 array
        Days of the windows, ascending.
    measures : int
        Number of measures; the first two are possible and absent sessions.
    weights : float64 array, shape (half-lives, days + 1)
        The weight of a session so many days back; the walk ends with the last, which may not lie before ``first``.
    prior, prior_sessions : float64 array, float
        Shares of absent and unauthorised sessions that so many further sessions add.

    Returns
    -------
    counts : int64 array, shape (snapshots, windows + 1, measures)
        The last window is the school year.
    runs : int64 array, shape (snapshots, windows, 2)
        The longest run of absence and the number of runs; a run lasts until an attended session, across nights and holidays.
    newest : int64 array, shape (snapshots, len(NEWEST))
        See ``features.attendance.bits.NEWEST``; ``UNDEFINED`` without a session in ``RECENT`` days, and the last one without a mark of a
        session that was not possible.
    lasting : int64 array, shape (snapshots, 2 * half-lives)
        Smoothed log-odds of absence, then of unauthorised absence, in units of 1 / ``UNIT``: rounded, so that all machines agree.
    """
    n, many = len(pupil), len(windows)
    counts = np.zeros((n, many + 1, measures), np.int64)
    runs = np.zeros((n, many, 2), np.int64)
    newest = np.full((n, FIGURES), UNDEFINED, np.int64)
    so_far = np.zeros(measures, np.int64)
    lives, reach = weights.shape[0], weights.shape[1] - 1
    lasting = np.full((n, 2 * lives), UNDEFINED, np.int64)
    weighted = np.zeros((lives, 3))
    for s in range(n):
        p, day = pupil[s], as_of[s]
        at, low = starts[p + 1] - 1, starts[p]
        so_far[:] = 0
        weighted[:] = 0.0
        run = longest = number = trailing = window = 0
        sessions = unexplained = possible_bits = unexplained_bits = before = 0
        since_break = break_unexplained = since_summer = summer_unexplained = 0
        in_break = in_summer = False
        week_possible = week_absent = weeks_open = weeks_missed = weeks_mostly = 0
        last_mark = last_present = last_not_possible = last_week_absent = last_week_possible = UNDEFINED
        of_week = of_ten_days = 0
        for back in range(1, reach + 1):
            date = day - back
            away = date - first
            prompt = (words[p, away // SPAN] >> (2 * (away % SPAN))) & 3
            morning = p * slots + 2 * away
            while at >= low and keys[at] > morning + 1:
                at -= 1
            on_day = absent_on_day = unauthorised_on_day = 0
            halves = 2 if prompt or (at >= low and keys[at] >= morning) else 0
            for half in range(halves - 1, -1, -1):
                plain = (prompt >> half) & 1 == 1 and date < cut[s]
                kind = POSSIBLE if plain else 0
                if at >= low and keys[at] == morning + half:
                    kind, at = _valid_mark(
                        keys=keys,
                        recorded=recorded,
                        code=code,
                        kinds=kinds,
                        at=at,
                        low=low,
                        date=date,
                        plain=plain,
                        cut=cut[s],
                    )
                if kind & POSSIBLE == 0:
                    last_not_possible = back if kind and last_not_possible < 0 else last_not_possible
                    continue
                if kind == POSSIBLE:
                    so_far[0] += 1
                else:
                    for m in range(measures):
                        so_far[m] += (kind >> m) & 1
                absent = (kind & ABSENT) // ABSENT
                on_day += 1
                absent_on_day += absent
                unauthorised_on_day += kind & UNAUTHORISED != 0
                run = run + 1 if absent else 0
                number += run == 1
                longest = max(longest, run)
                if back <= RECENT:
                    week_possible += 1
                    gap = back - before - 1 if before else 0
                    in_break, in_summer, before = in_break or gap >= BREAK, in_summer or gap >= SUMMER, back
                    no_reason = 1 if kind & UNEXPLAINED else 0
                    if sessions < NEWEST_SESSIONS:
                        sessions += 1
                        unexplained += no_reason
                        if not in_break:
                            since_break += 1
                            break_unexplained += no_reason
                        if not in_summer:
                            since_summer += 1
                            summer_unexplained += no_reason
                    if back <= BITS:
                        possible_bits |= 1 << (2 * (back - 1) + 1 - half)
                        unexplained_bits |= no_reason << (2 * (back - 1) + 1 - half)
                    week_absent += absent
                    last_mark = back if last_mark < 0 else last_mark
                    last_present = back if last_present < 0 and not absent else last_present
                    trailing += last_present < 0
            if back == 7:
                of_week = so_far[0]
            if back == 10:
                of_ten_days = so_far[0]
            if back <= RECENT and (back % 7 == 0 or back == RECENT):
                if week_possible > 0:
                    if weeks_open == 0:
                        last_week_absent, last_week_possible = week_absent, week_possible
                    weeks_open += 1
                    weeks_missed += week_absent == week_possible
                    weeks_mostly += 2 * week_absent >= week_possible
                week_possible = week_absent = 0
            if date == september[s]:
                counts[s, many] = so_far
            if on_day:
                for life in range(lives):
                    weighted[life, 0] += weights[life, back] * on_day
                    weighted[life, 1] += weights[life, back] * absent_on_day
                    weighted[life, 2] += weights[life, back] * unauthorised_on_day
            if window < many and back == windows[window]:
                counts[s, window] = so_far
                runs[s, window, 0], runs[s, window, 1] = longest, number
                window += 1
        if weeks_open > 0:
            newest[s, 0], newest[s, 1], newest[s, 2], newest[s, 3] = trailing, weeks_missed, weeks_mostly, weeks_open
            newest[s, 4], newest[s, 5], newest[s, 6], newest[s, 7] = (
                last_week_absent,
                last_week_possible,
                last_mark,
                last_present,
            )
            newest[s, 8], newest[s, 9] = sessions, unexplained
            newest[s, 10], newest[s, 11] = since_break, break_unexplained
            newest[s, 12], newest[s, 13] = since_summer, summer_unexplained
            newest[s, 14], newest[s, 15] = of_week, of_ten_days
            newest[s, 16], newest[s, 17], newest[s, 18] = possible_bits, unexplained_bits, 1
        newest[s, 19] = last_not_possible
        if weighted[-1, 0] > 0:
            for life in range(lives):
                for m in range(2):
                    of_kind = weighted[life, m + 1] + prior_sessions * prior[m]
                    others = weighted[life, 0] + prior_sessions - of_kind
                    lasting[s, m * lives + life] = round(UNIT * np.log(of_kind / others))
    return counts, runs, newest, lasting


@nb.njit(cache=True, nogil=True)
def _valid_mark(keys, recorded, code, kinds, at, low, date, plain, cut):
    """Return the measures of the mark that is valid for a session (0: none visible, or a closure), and the index of the marks before it.

    The last recording before the cut is valid; of several on one day, the last code in their order. Plain presence recorded on
    the day itself exists only as its bit. It overrides recordings from before the day and is overridden by later ones. If
    another mark was recorded on the day itself, the bit belongs to that mark.
    """
    key, newest, newest_code, same_day = keys[at], -1, -1, False
    while at >= low and keys[at] == key:
        same_day = same_day or recorded[at] == date
        if recorded[at] < cut and (newest < 0 or (recorded[at], code[at]) > (recorded[newest], newest_code)):
            newest, newest_code = at, code[at]
        at -= 1
    if plain and not same_day and (newest < 0 or recorded[newest] < date):
        return POSSIBLE, at
    return (kinds[newest_code] if newest >= 0 else 0), at
