"""Records of services: special needs, free meals, addresses, suspensions and social care."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from histories.calendar import ONE_DAY, day_number
from histories.population.life import CARE_CLOSE, CARE_OPEN, RUNAWAY, SUSPENSION
from histories.population.roll import SimulatedPeriod
from histories.population.world import World

LEVELS = {1: "early_help", 2: "assessment", 3: "cin", 4: "cpp", 5: "cla"}
REASONS = ("DB", "DB", "DB", "PP", "VA", "PA", "OT", "DM", "BU")


def needs_and_meals(rng: np.random.Generator, world: World, clock: SimulatedPeriod) -> tuple[list[tuple], list[tuple]]:
    """Draw the spells of special educational provision and of free school meals."""
    sen, fsm = [], []
    for i in range(len(world.cohort)):
        started = (
            date(int(world.cohort[i]) + max(int(world.sen_year[i]), 0), 9, 10) + int(rng.integers(0, 200)) * ONE_DAY
        )
        if world.sen[i] and started < clock.end:
            recorded = min(started + int(rng.integers(0, 30)) * ONE_DAY, clock.end)
            if world.sen[i] == 2:
                plan = started + int(rng.integers(60, 560)) * ONE_DAY
                ended = plan - ONE_DAY if plan <= clock.end else None
                sen.append((i, started, ended, "K", world.need[i], recorded))
                if plan <= clock.end:
                    sen.append((i, plan, None, "E", world.need[i], plan))
            else:
                # For many, support ends when they catch up, more often in secondary school.
                until = date(int(world.cohort[i]) + 6 + int(rng.integers(0, 10)), 7, 20)
                ended = until if started < until <= clock.end else None
                sen.append((i, started, ended, "K", world.need[i], recorded))
        if world.fsm[i]:
            begun = date(int(world.cohort[i]), 9, 1) + int(rng.integers(0, 700)) * ONE_DAY
            if begun < clock.end:
                fsm.append((i, begun, None, begun))
    return sen, fsm


def homes(rng: np.random.Generator, world: World, clock: SimulatedPeriod, paths: np.ndarray) -> list[tuple]:
    """Draw the spells at addresses; unstable households move more often, and more often into temporary homes."""
    n_homes, weeks = paths.shape
    moved = rng.random((n_homes, weeks), dtype=np.float32) < 0.0017 * np.exp(np.minimum(0.85 * paths, 3.5))
    temporary = rng.random((n_homes, weeks), dtype=np.float32) < 0.55 / (1 + np.exp(-(1.8 * paths - 3.2)))
    areas_of = [np.flatnonzero(world.area_authority == a) for a in range(int(world.area_authority.max()) + 1)]
    children = np.split(np.arange(len(world.household)), np.flatnonzero(np.diff(world.household)) + 1)
    rows = []
    for home in range(n_homes):
        start, area, shelter, number = (
            clock.first - int(rng.integers(30, 3000)) * ONE_DAY,
            int(world.area[home]),
            False,
            0,
        )
        spells: list[tuple[date, date | None, int, bool, int]] = []
        for week in np.flatnonzero(moved[home]):
            day = clock.monday(int(week)) + int(rng.integers(0, 5)) * ONE_DAY
            spells.append((start, day - ONE_DAY, area, shelter, number))
            near = areas_of[int(world.authority[home])]
            area = int(near[rng.integers(0, len(near))]) if rng.random() < 0.6 else area
            start, shelter, number = day, bool(temporary[home, week]), number + 1
        spells.append((start, None, area, shelter, number))
        delay = rng.integers(0, 35, len(spells))
        for (begun, ended, where, temp, n), late in zip(spells, delay, strict=True):
            recorded = begun + int(late) * ONE_DAY
            if recorded <= clock.end and begun <= clock.end:
                until = ended if ended is not None and ended <= clock.end else None
                rows += [
                    (int(c), begun, until, f"H{home:06d}-{n}", f"E01{where:06d}", temp, recorded)
                    for c in children[home]
                ]
    return rows


def suspensions(
    rng: np.random.Generator, clock: SimulatedPeriod, events: np.ndarray, counts: np.ndarray, open_days: np.ndarray
) -> tuple[list[tuple], np.ndarray]:
    """Draw suspensions, and the days of each child's suspensions as pairs of day numbers ended by -1.

    Returns
    -------
    rows, int32 array of shape (children, 64)
    """
    rows: list[tuple] = []
    excluded = np.full((len(counts), 64), -1, np.int32)
    for i, k in np.argwhere(events[:, :, 1] == SUSPENSION).tolist():
        if k >= counts[i]:
            continue
        day = clock.monday(events[i, k, 0]) + int(rng.integers(0, 5)) * ONE_DAY
        sessions = min(1 + int(rng.exponential(4.0)), 20)
        number = day_number(day)
        at = np.searchsorted(open_days, number)
        last = open_days[min(int(at) + (sessions - 1) // 2, len(open_days) - 1)]
        free = int(np.argmax(excluded[i] < 0))
        if free < 62 and at < len(open_days) and day <= clock.end:
            excluded[i, free : free + 2] = number, last
            category = "PERM" if events[i, k, 2] else "SUSP"
            recorded = min(day + int(rng.integers(0, 10)) * ONE_DAY, clock.end)
            rows.append((int(i), day, category, REASONS[rng.integers(0, len(REASONS))], sessions, recorded))
    return rows, excluded


def social_care(
    rng: np.random.Generator, clock: SimulatedPeriod, events: np.ndarray, counts: np.ndarray, delay: float
) -> list[tuple[Any, ...]]:
    """Draw episodes of early help and social care, recorded late."""
    rows: list[tuple] = []
    for i in range(len(counts)):
        opened: tuple[int, date] | None = None
        for week, kind, detail in events[i, : counts[i]]:
            day = clock.monday(week) + int(rng.integers(0, 5)) * ONE_DAY
            if kind == CARE_OPEN:
                opened = (int(detail), day)
                if detail >= 2:
                    rows.append((i, "referral", day - ONE_DAY, day - ONE_DAY, None, None, day, day))
            elif kind == CARE_CLOSE and opened is not None:
                rows += _episode(rng=rng, i=i, opened=opened, ended=day, clock=clock, delay=delay)
                opened = None
            elif kind == RUNAWAY:
                back = day + int(rng.integers(0, 4)) * ONE_DAY
                rows.append((i, "missing", day, back, None, None, back, back))
        if opened is not None:
            rows += _episode(rng=rng, i=i, opened=opened, ended=None, clock=clock, delay=delay)
    return [r for r in rows if r[6] <= clock.end]


def _episode(
    rng: np.random.Generator, i: int, opened: tuple[int, date], ended: date | None, clock: SimulatedPeriod, delay: float
) -> list[tuple]:
    level, day = opened
    recorded = day + min(int(rng.exponential(delay)), 90) * ONE_DAY
    ended_known = None if ended is None else ended + min(int(rng.exponential(delay)), 90) * ONE_DAY
    if ended_known is not None and ended_known > clock.end:
        ended, ended_known = None, None
    category = ("N1", "N1", "N5", "N4")[int(rng.integers(0, 4))] if level >= 3 else None
    return [(i, LEVELS[level], day, ended, category, "closed" if ended else None, recorded, ended_known)]
