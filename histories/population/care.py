"""Social care in the weekly process: which level an episode has, and how long it lasts."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

# Upper bounds of the draws for the levels of care 1 to 4; above the last it is level 5.
LEVELS_OPENED = np.array([0.46, 0.66, 0.93, 0.976])
LEVELS_RUNNING = np.array([0.30, 0.36, 0.79, 0.87])


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
