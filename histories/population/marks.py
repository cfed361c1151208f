"""Attendance marks by session, drawn from the states of a child; corrections are second rows."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from histories.population.chances import CRISIS, NO_SHOW
from histories.population.life import uniform

# The order of codes in the dictionary of the written column.
CODES = ("/", "\\", "L", "B", "P", "V", "W", "I", "M", "C", "C2", "E", "G", "O", "N", "U", "X", "K")
(
    PRESENT_AM,
    PRESENT_PM,
    LATE,
    OFFSITE,
    SPORT,
    VISIT,
    WORK,
    ILL,
    MEDICAL,
    LEAVE,
    PART_TIME,
    EXCLUDED,
    HOLIDAY,
) = range(13)
OTHER, UNEXPLAINED, AFTER_CLOSE, NOT_REQUIRED, ARRANGED = range(13, 18)
PURPOSE = 40


# Marks of present sessions, primary then secondary: shares of B, P, V, W (Years 10 and 11 only) and late marks.
PRESENT = np.array([[0.0020, 0.0009, 0.0078, 0.0, 0.0105], [0.0034, 0.0016, 0.0083, 0.0088, 0.0270]])


@njit(cache=True)
def absence_chance(x, state, year, sen):
    """Return the chance of missing a day; ``state`` as in ``life.lives``."""
    if state % 4 == NO_SHOW:
        return 1.0
    if state % 4 == CRISIS:
        return 0.94
    if state >= 4:
        return 0.66
    level, slope = (-3.74, 1.20) if year < 7 else (-3.14, 1.04)
    return 1.0 / (1.0 + math.exp(-(level + slope * x + 0.30 * (sen == 1) + 0.35 * (sen == 2))))


@njit(cache=True)
def _absent_code(x, h, state, year, key, step):
    draw, second = uniform(key, PURPOSE + 2, step), uniform(key, PURPOSE + 3, step)
    lost = state % 4 != 0
    avoiding_ill, level, holiday, after_close = (0.62, -1.10, 0.46, 0.865) if year < 7 else (0.50, -0.50, 0.135, 0.89)
    if not lost and state >= 4:
        # Schools mostly record avoidance as illness, and try part-time timetables.
        if draw < avoiding_ill:
            return ILL
        if draw < 0.83:
            return OTHER
        return PART_TIME if draw < 0.95 else MEDICAL
    unexplained = 0.96 if lost else 1.0 / (1.0 + math.exp(-(level + 0.25 * x + 0.15 * h)))
    if draw < unexplained:
        if state % 4 == NO_SHOW and second < 0.30:
            return UNEXPLAINED
        if not lost and second < holiday:
            return HOLIDAY
        return AFTER_CLOSE if second > after_close else OTHER
    if second < 0.775:
        return ILL
    if second < 0.858:
        return MEDICAL
    if second < 0.985:
        return LEAVE
    return PART_TIME if x > 0.5 else ILL


@njit(cache=True)
def _present_code(x, year, session, key, step):
    draw = uniform(key, PURPOSE + 4, step)
    shares = PRESENT[0 if year < 7 else 1]
    if session == 0 and draw < 2.0 * shares[4] * math.exp(min(0.6 * x, 2.5)):
        return LATE
    above = 1.0 - draw
    for kind in range(4):
        if above < shares[kind] and (kind < 3 or year >= 10):
            return OFFSITE + kind
        above -= shares[kind]
    return PRESENT_AM if session == 0 else PRESENT_PM


@njit(cache=True, parallel=True)
def draw_marks(
    spells,
    first,
    last,
    days,
    week_of_day,
    xs,
    cs,
    paths,
    household,
    years,
    sen,
    excluded,
    keys,
    late_share,
    offsets,
    day,
    session,
    code,
    recorded,
    used,
):
    """Fill the marks of a chunk of children, in order of child, day and session.

    Parameters
    ----------
    spells : int array, shape (children + 1,)
        Start of each child's spells in ``first`` and ``last`` (day numbers).
    excluded : int array, shape (children, 64)
        Pairs of first and last day of suspensions, ended by -1.
    offsets : int array, shape (children,)
        Start of each child's marks in the output arrays.
    used : int array, shape (children,)
        Filled with the number of marks written.
    """
    for i in prange(offsets.shape[0]):
        at = offsets[i]
        key = keys[i]
        for s in range(spells[i], spells[i + 1]):
            for d in range(days.shape[0]):
                today = days[d]
                if today < first[s] or today > last[s]:
                    continue
                t = week_of_day[d]
                x, state, year = xs[i, t], cs[i, t], years[i, t]
                h = paths[household[i], t]
                suspended = False
                for q in range(0, 64, 2):
                    if excluded[i, q] < 0:
                        break
                    suspended = suspended or excluded[i, q] <= today <= excluded[i, q + 1]
                absent = uniform(key, PURPOSE, d) < absence_chance(x, state, year, sen[i])
                half = uniform(key, PURPOSE + 1, d)
                whole_code = _absent_code(x=x, h=h, state=state, year=year, key=key, step=d)
                for part in range(2):
                    missed = absent and not ((half < 0.05 and part == 0) or (half > 0.93 and part == 1))
                    step = 2 * d + part
                    mark = _present_code(x, year, part, key, step)
                    entered = today
                    if suspended:
                        mark = EXCLUDED
                    elif missed:
                        mark = whole_code
                        if uniform(key, PURPOSE + 5, d) < late_share and mark != HOLIDAY and mark != UNEXPLAINED:
                            day[at], session[at], code[at], recorded[at] = today, part, UNEXPLAINED, today
                            at += 1
                            why = uniform(key, PURPOSE + 7, d)
                            if why < 0.55:
                                continue  # no reason was ever given
                            entered = today + 2 + int(12.0 * uniform(key, PURPOSE + 6, d))
                            mark = OTHER
                            if why > 0.93:
                                mark = LATE
                            elif why < 0.80 and state % 4 == 0:
                                mark = ILL
                    day[at], session[at], code[at], recorded[at] = today, part, mark, entered
                    at += 1
        used[i] = at - offsets[i]
