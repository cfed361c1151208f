"""Attendance marks, session by session, from the states of a child's life; corrections as second rows."""

from __future__ import annotations

import math

from numba import njit, prange

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


@njit(cache=True)
def absence_chance(x, crisis, year, sen):
    """Return the chance of missing a day."""
    if crisis:
        return 0.94
    level = -3.40 if year < 7 else -2.92
    return 1.0 / (
        1.0 + math.exp(-(level + 0.92 * x + 0.10 * x * abs(x) * (x > 0) + 0.30 * (sen == 1) + 0.55 * (sen == 2)))
    )


@njit(cache=True)
def _absent_code(x, h, crisis, year, key, step):
    draw = uniform(key, PURPOSE + 2, step)
    unexplained = 0.96 if crisis else 1.0 / (1.0 + math.exp(-((-1.30 if year < 7 else -0.68) + 0.25 * x + 0.15 * h)))
    second = uniform(key, PURPOSE + 3, step)
    if draw < unexplained:
        holiday = 0.0 if crisis else (0.33 if year < 7 else 0.11)
        if second < holiday:
            return HOLIDAY
        return AFTER_CLOSE if second > 0.93 else OTHER
    if second < 0.78:
        return ILL
    if second < 0.86:
        return MEDICAL
    if second < 0.96:
        return LEAVE
    return PART_TIME if x > 1.0 else ILL


@njit(cache=True)
def _present_code(x, year, session, key, step):
    draw = uniform(key, PURPOSE + 4, step)
    late = (0.009 if year < 7 else 0.021) * math.exp(min(0.6 * x, 2.5))
    if session == 0 and draw < 2.0 * late:
        return LATE
    if draw > 0.9925:
        return VISIT
    if draw > 0.9900:
        return OFFSITE
    if draw > 0.9888:
        return SPORT
    if draw > 0.9865 and year >= 10:
        return WORK
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
    """Fill the marks of some children, in order of child, day and session.

    Parameters
    ----------
    spells : int array, shape (children + 1,)
        Where each child's spells begin in ``first`` and ``last`` (day numbers).
    excluded : int array, shape (children, 64)
        Pairs of first and last day of suspensions, ended by -1.
    offsets : int array, shape (children,)
        Where each child's marks begin in the output arrays.
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
                x, crisis, year = xs[i, t], cs[i, t], years[i, t]
                h = paths[household[i], t]
                suspended = False
                for q in range(0, 64, 2):
                    if excluded[i, q] < 0:
                        break
                    suspended = suspended or excluded[i, q] <= today <= excluded[i, q + 1]
                absent = uniform(key, PURPOSE, d) < absence_chance(x, crisis, year, sen[i])
                half = uniform(key, PURPOSE + 1, d)
                whole_code = _absent_code(x, h, crisis, year, key, d)
                for part in range(2):
                    missed = absent and not ((half < 0.05 and part == 0) or (half > 0.93 and part == 1))
                    step = 2 * d + part
                    mark = _present_code(x, year, part, key, step)
                    known = today
                    if suspended:
                        mark = EXCLUDED
                    elif missed:
                        mark = whole_code
                        if uniform(key, PURPOSE + 5, d) < late_share and mark != HOLIDAY:
                            day[at], session[at], code[at], recorded[at] = today, part, UNEXPLAINED, today
                            at += 1
                            known = today + 2 + int(12.0 * uniform(key, PURPOSE + 6, d))
                            mark = ILL if uniform(key, PURPOSE + 7, d) < 0.6 and not crisis else OTHER
                    day[at], session[at], code[at], recorded[at] = today, part, mark, known
                    at += 1
        used[i] = at - offsets[i]
