"""Walk a child's sessions backwards from a day and count those in each window; compiled by numba and cached on disk."""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np

from features.attendance.bits import (
    ABSENT,
    BITS,
    BREAK,
    NEWEST_SESSIONS,
    POSSIBLE,
    RECENT,
    SEVERAL,
    SUMMER,
    UNAUTHORISED,
    UNDEFINED,
    UNEXPLAINED,
    UNIT,
)


class Register(NamedTuple):
    """The marks of some children.

    Attributes
    ----------
    sessions : uint8 array, shape (pupils, 2 * days)
        Of each session: 0 without a mark, the number of its code plus one if it has one mark that was recorded on the day, or else ``SEVERAL``.
    first : int
        The day number of the first day.
    keys, recorded, code : int64, int32 and uint8 arrays, shape (marks,)
        Every mark of the sessions with ``SEVERAL``: the session's place in the flat register, ascending, the day on which the mark was
        recorded, and the number of its code.
    starts : int64 array, shape (pupils + 1,)
        Index of each pupil's first of these marks.
    """

    sessions: np.ndarray
    first: int
    keys: np.ndarray
    recorded: np.ndarray
    code: np.ndarray
    starts: np.ndarray


class Snapshots(NamedTuple):
    """What is asked.

    Attributes
    ----------
    order : int64 array, shape (snapshots,)
        The snapshots in the order of the walk; children one after another read the register once.
    pupil, as_of, cut, september : int64 arrays, shape (snapshots,)
        The pupil's row, the as-of date, the day before which a mark must be recorded, and the first day of the school year.
    """

    order: np.ndarray
    pupil: np.ndarray
    as_of: np.ndarray
    cut: np.ndarray
    september: np.ndarray


class Rules(NamedTuple):
    """How sessions are counted.

    Attributes
    ----------
    kinds : int64 array, shape (256,)
        The measures of each byte of the register, one bit each.
    edges : uint8 array, shape (days + 1,)
        The place of the window that ends so many days back, plus one; 0 if none does.
    windows : int64 array
        Days of the windows, ascending.
    weights : float64 array, shape (days + 1, 4)
        The weight of a session so many days back, by half-life; the walk ends with the last, which may not lie before the register.
    prior, prior_sessions : float64 array, float
        Shares of absent and unauthorised sessions that so many further sessions add.
    """

    kinds: np.ndarray
    edges: np.ndarray
    windows: np.ndarray
    weights: np.ndarray
    prior: np.ndarray
    prior_sessions: float


class Figures(NamedTuple):
    """What is counted; each column is one figure of all snapshots.

    Attributes
    ----------
    counts : int64 array, shape (windows + 1, measures, snapshots)
        The last window is the school year; the first two measures are possible and absent sessions.
    runs : int64 array, shape (windows, 2, snapshots)
        The longest run of absence and the number of runs; a run lasts until an attended session, across nights and holidays.
    newest : int64 array, shape (len(NEWEST), snapshots)
        See ``features.attendance.bits.NEWEST``; ``UNDEFINED`` without a session in ``RECENT`` days, and the last one without a mark of a
        session that was not possible.
    lasting : int64 array, shape (2 * half-lives, snapshots)
        Smoothed log-odds of absence, then of unauthorised absence, in units of 1 / ``UNIT``: rounded, so that all machines agree.
    """

    counts: np.ndarray
    runs: np.ndarray
    newest: np.ndarray
    lasting: np.ndarray


@nb.njit(cache=True, nogil=True)
def walk(register, snapshots, rules, figures, begin, end):
    """Fill the figures of the snapshots from ``begin`` to ``end`` in their order; all are ``UNDEFINED`` or 0 before.

    Back from the as-of date fewer and fewer figures are still counted: all in the newest weeks, then windows, then lasting shares only.
    """
    # Taking an array from a tuple counts its references, which takes as long as a week of the walk: once, not for each day.
    sessions, first, starts = register.sessions, register.first, register.starts
    order, pupil, as_of, cuts, septembers = snapshots
    kinds, edges, weights = rules.kinds, rules.edges, rules.weights
    prior, prior_sessions = rules.prior, rules.prior_sessions
    counts, runs, newest, lasting = figures
    slots, reach, year = sessions.shape[1], weights.shape[0] - 1, counts.shape[0] - 1
    # A school year may be a day longer than the longest window.
    windows, measures = rules.windows[-1] + 1, counts.shape[1]
    so_far = np.zeros(measures, np.int64)
    for n in range(begin, end):
        s = order[n]
        p, day, cut, september = pupil[s], as_of[s], cuts[s], septembers[s]
        at = starts[p + 1] - 1
        so_far[:] = 0
        possible = trailing = counted = unexplained = possible_bits = unexplained_bits = before = 0
        weighted = absent_weighted = unauthorised_weighted = (0.0, 0.0, 0.0, 0.0)
        run = longest = number = since_break = break_unexplained = since_summer = summer_unexplained = 0
        in_break = in_summer = False
        week_possible = week_absent = weeks_open = weeks_missed = weeks_mostly = of_week = of_ten_days = 0
        last_mark = last_present = last_not_possible = last_week_absent = last_week_possible = UNDEFINED
        for back in range(1, RECENT + 1):
            date = day - back
            slot = 2 * (date - first)
            on_day = absent_on_day = unauthorised_on_day = 0
            for half in range(1, -1, -1):
                mark = sessions[p, slot + half]
                if mark == 0:
                    continue
                kind = kinds[mark] if date < cut else 0
                if mark == SEVERAL:
                    kind, at = _valid_mark(register, kinds, p * slots + slot + half, at=at, cut=cut)
                if kind & POSSIBLE == 0:
                    last_not_possible = back if kind and last_not_possible < 0 else last_not_possible
                    continue
                possible += 1
                if kind != POSSIBLE:
                    for m in range(1, measures):
                        so_far[m] += (kind >> m) & 1
                absent = (kind & ABSENT) // ABSENT
                on_day += 1
                absent_on_day += absent
                unauthorised_on_day += kind & UNAUTHORISED != 0
                run = run + 1 if absent else 0
                number += run == 1
                longest = max(longest, run)
                week_possible += 1
                gap = back - before - 1 if before else 0
                in_break, in_summer, before = in_break or gap >= BREAK, in_summer or gap >= SUMMER, back
                no_reason = 1 if kind & UNEXPLAINED else 0
                if counted < NEWEST_SESSIONS:
                    counted += 1
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
            if on_day:
                weighted = _plus(weighted, weights, back, on_day)
            if absent_on_day:
                absent_weighted = _plus(absent_weighted, weights, back, absent_on_day)
                unauthorised_weighted = _plus(unauthorised_weighted, weights, back, unauthorised_on_day)
            if back == 7:
                of_week = possible
            if back == 10:
                of_ten_days = possible
            if back % 7 == 0 or back == RECENT:
                if week_possible > 0:
                    if weeks_open == 0:
                        last_week_absent, last_week_possible = week_absent, week_possible
                    weeks_open += 1
                    weeks_missed += week_absent == week_possible
                    weeks_mostly += 2 * week_absent >= week_possible
                week_possible = week_absent = 0
            if edges[back] or date == september:
                so_far[0] = possible
                if date == september:
                    counts[year, :, s] = so_far
                if edges[back]:
                    counts[edges[back] - 1, :, s] = so_far
                    runs[edges[back] - 1, 0, s], runs[edges[back] - 1, 1, s] = longest, number
        for back in range(RECENT + 1, windows + 1):
            date = day - back
            slot = 2 * (date - first)
            morning, afternoon = sessions[p, slot], sessions[p, slot + 1]
            if kinds[morning] == POSSIBLE and kinds[afternoon] == POSSIBLE and date < cut:  # as on nine days in ten
                run = 0
                possible += 2
                weighted = _plus(weighted, weights, back, 2)
            elif morning | afternoon:
                on_day = absent_on_day = unauthorised_on_day = 0
                for half in range(1, -1, -1):
                    mark = afternoon if half else morning
                    kind = kinds[mark] if date < cut else 0
                    if mark == SEVERAL:
                        kind, at = _valid_mark(register, kinds, p * slots + slot + half, at=at, cut=cut)
                    if kind & POSSIBLE == 0:
                        last_not_possible = back if kind and last_not_possible < 0 else last_not_possible
                        continue
                    possible += 1
                    if kind != POSSIBLE:
                        for m in range(1, measures):
                            so_far[m] += (kind >> m) & 1
                    absent = (kind & ABSENT) // ABSENT
                    on_day += 1
                    absent_on_day += absent
                    unauthorised_on_day += kind & UNAUTHORISED != 0
                    run = run + 1 if absent else 0
                    number += run == 1
                    longest = max(longest, run)
                weighted = _plus(weighted, weights, back, on_day)
                absent_weighted = _plus(absent_weighted, weights, back, absent_on_day)
                unauthorised_weighted = _plus(unauthorised_weighted, weights, back, unauthorised_on_day)
            if edges[back] or date == september:
                so_far[0] = possible
                if date == september:
                    counts[year, :, s] = so_far
                if edges[back]:
                    counts[edges[back] - 1, :, s] = so_far
                    runs[edges[back] - 1, 0, s], runs[edges[back] - 1, 1, s] = longest, number
        for back in range(windows + 1, reach + 1):
            date = day - back
            slot = 2 * (date - first)
            morning, afternoon = sessions[p, slot], sessions[p, slot + 1]
            if kinds[morning] == POSSIBLE and kinds[afternoon] == POSSIBLE and date < cut:
                weighted = _plus(weighted, weights, back, 2)
            elif morning | afternoon:
                on_day = absent_on_day = unauthorised_on_day = 0
                for half in range(1, -1, -1):
                    mark = afternoon if half else morning
                    kind = kinds[mark] if date < cut else 0
                    if mark == SEVERAL:
                        kind, at = _valid_mark(register, kinds, p * slots + slot + half, at=at, cut=cut)
                    if kind & POSSIBLE == 0:
                        last_not_possible = back if kind and last_not_possible < 0 else last_not_possible
                        continue
                    on_day += 1
                    absent_on_day += kind & ABSENT != 0
                    unauthorised_on_day += kind & UNAUTHORISED != 0
                weighted = _plus(weighted, weights, back, on_day)
                absent_weighted = _plus(absent_weighted, weights, back, absent_on_day)
                unauthorised_weighted = _plus(unauthorised_weighted, weights, back, unauthorised_on_day)
        if weeks_open > 0:
            newest[0, s], newest[1, s], newest[2, s], newest[3, s] = trailing, weeks_missed, weeks_mostly, weeks_open
            newest[4, s], newest[5, s] = last_week_absent, last_week_possible
            newest[6, s], newest[7, s] = last_mark, last_present
            newest[8, s], newest[9, s] = counted, unexplained
            newest[10, s], newest[11, s] = since_break, break_unexplained
            newest[12, s], newest[13, s] = since_summer, summer_unexplained
            newest[14, s], newest[15, s] = of_week, of_ten_days
            newest[16, s], newest[17, s], newest[18, s] = possible_bits, unexplained_bits, 1
        newest[19, s] = last_not_possible
        lives = len(weighted)
        if weighted[lives - 1] > 0:
            for life in range(lives):
                for m in range(2):
                    of_kind = unauthorised_weighted[life] if m else absent_weighted[life]
                    of_kind += prior_sessions * prior[m]
                    others = weighted[life] + prior_sessions - of_kind
                    lasting[m * lives + life, s] = round(UNIT * np.log(of_kind / others))


@nb.njit(cache=True, nogil=True)
def _plus(sums, weights, back, sessions):
    """Add the weight of some sessions to the sums of each half-life; a tuple stays in the processor's registers."""
    return (
        sums[0] + weights[back, 0] * sessions,
        sums[1] + weights[back, 1] * sessions,
        sums[2] + weights[back, 2] * sessions,
        sums[3] + weights[back, 3] * sessions,
    )


@nb.njit(cache=True, nogil=True)
def _valid_mark(register, kinds, key, at, cut):
    """Return the measures of the valid mark of a session with ``SEVERAL`` (0: none visible), and the index of the marks before it.

    The last recording before the cut is valid; of several on one day, the last code in their order.
    """
    keys, recorded, code = register.keys, register.recorded, register.code
    while at >= 0 and keys[at] > key:
        at -= 1
    newest, number = -1, np.int64(-1)
    while at >= 0 and keys[at] == key:
        if recorded[at] < cut and (newest < 0 or (recorded[at], code[at]) > (recorded[newest], number)):
            newest, number = at, np.int64(code[at])
        at -= 1
    return (kinds[number + 1] if newest >= 0 else 0), at
