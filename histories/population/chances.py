"""What may happen to a child in a week: exits by its state, moves, lost places, and social care with its level and length."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

# Order of the competing exits.
EXITS = ("missing_education", "unknown", "home_education", "other_authority", "independent_school", "abroad")
N_EXITS = len(EXITS)
MISSING, UNKNOWN = 0, 1
# States of a child, of which one holds at a time; avoidance is separate from them.
CALM, CRISIS, NO_SHOW, SHOCK = range(4)
# Weekly chances of a child who has not arrived in Year 7: of arriving late, and of each exit in the order of ``EXITS``.
ARRIVES = 0.13
NEVER_CAME = np.array([0.075, 0.050, 0.010, 0.030, 0.020, 0.015])
# Of the children lost over the summer, the share recorded as leaving Year 6; the others never arrive in Year 7.
LOST_BEFORE = 0.5
# Upper bounds of the draws for the levels of care 1 to 4; above the last it is level 5.
LEVELS_OPENED = np.array([0.46, 0.66, 0.93, 0.976])
LEVELS_RUNNING = np.array([0.30, 0.36, 0.79, 0.87])


@njit(cache=True)
def hazards(x, h, crisis, avoiding, year, effect, p, out):
    """Fill the weekly hazards of each exit, in the order of ``EXITS``.

    ``year`` is the year group (0 = Reception); ``effect`` scales the states' effect on exits.
    """
    if crisis != NO_SHOW:
        calm_hazards(x=x, h=h, avoiding=avoiding, year=year, effect=effect, p=p, out=out)
    adding = turmoil(h, effect) if crisis == CRISIS else 0.0
    in_state(state=crisis, calm=out, turmoil=adding, effect=effect, p=p, out=out)


@njit(cache=True)
def calm_hazards(x, h, avoiding, year, effect, p, out):
    """Fill the hazards of a child in no particular state; the exponentials take most of the time, and other states only add to them."""
    grown = 1.0 + 0.06 * max(year - 6, 0)
    strain = math.exp(min(effect * (0.7 * x + 0.8 * h), 5.0))
    out[0] = p[6] * strain * grown
    out[1] = p[7] * strain * grown
    out[2] = p[8] * math.exp(min(0.9 * x, 4.0)) * (0.6 + 0.12 * year) * (1.0 + p[16] * avoiding)
    out[3] = p[9] * math.exp(min(0.6 * h, 3.0))
    out[4] = p[10]
    out[5] = p[11]


@njit(cache=True)
def turmoil(h, effect):
    """Return the factor of the household on what a crisis adds to the hazards of going missing."""
    return min(math.exp(effect * 0.20 * h), 5.0)


@njit(cache=True)
def in_state(state, calm, turmoil, effect, p, out):
    """Fill the hazards of a state from those of a calm child (``calm_hazards``)."""
    for e in range(N_EXITS):
        out[e] = NEVER_CAME[e] if state == NO_SHOW else calm[e]
    if state == CRISIS:
        out[0] += p[12] * turmoil * effect
        out[1] += p[13] * turmoil * effect
    elif state == SHOCK:
        out[0] += p[19]
        out[1] += p[20]


@njit(cache=True)
def move_rate(h):
    """Return the chance of a move of school this week."""
    return 0.00036 * math.exp(min(0.8 * h, 3.5))


@njit(cache=True)
def place_lost(place, x, h):
    """Return the chance that a child leaves Year 6 without a secondary school, by the state of the application.

    ``place``: 0 accepted, 1 offer not answered, 2 offer declined, 3 no application.
    """
    strain = 1.0 / (1.0 + math.exp(-(0.9 * x + 0.8 * h - 2.0)))
    if place == 0:
        return 0.0004 * math.exp(min(0.5 * (x + h), 3.0))
    if place == 1:
        return 0.06 + 0.25 * strain
    return 0.10 + 0.40 * strain


@njit(cache=True)
def care_level(draw, running):
    """Draw the level of an episode: 1 early help, 2 assessment, 3 child in need, 4 protection plan, 5 looked after.

    ``running``: the episode is already open when the simulated period begins; long episodes are more common among those.
    """
    bounds = LEVELS_RUNNING if running else LEVELS_OPENED
    for level in range(4):
        if draw < bounds[level]:
            return level + 1
    return 5


@njit(cache=True)
def care_weeks(level, draw, short):
    """Draw the weeks that an episode lasts; almost half of the episodes of need end within three months."""
    if level == 5:
        return 8 + int(-120.0 * math.log(draw))
    if level == 4:
        return 8 + int(-30.0 * math.log(draw))
    if level == 2 or (level <= 3 and short < 0.45):
        return 3 + int(-4.0 * math.log(draw))
    return 8 + int(-38.0 * math.log(draw))
