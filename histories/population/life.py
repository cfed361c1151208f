"""The weekly process behind marks, moves, exits and the true risk.

Each pupil has a disengagement ``x``, each household an instability ``h``: slow, mean-reverting, with standard deviation one.
Both raise the chance of a *crisis*, in which attendance collapses and the child may well go missing. All observable data
and the hazard of every exit depend on these states. Some children *avoid* school for long periods, mostly recorded as
illness: they are as absent as a child in crisis, but tend to leave for home education. A few children on a Year 7 roll never
*arrive* in September. Under other rules a move of school may be a *shock*, which no mark shows: for weeks the risk is higher.
``hazards`` (``chances``) and ``advance`` define this once; the generator and the true risk both call them.

Random numbers are counter-based (splitmix64 of seed, pupil, purpose and step), so neither threads nor chunks change the result.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from histories.population.chances import (
    ARRIVES,
    CALM,
    CRISIS,
    LOST_BEFORE,
    MISSING,
    N_EXITS,
    NO_SHOW,
    SHOCK,
    UNKNOWN,
    calm_hazards,
    care_level,
    care_weeks,
    hazards,
    in_state,
    move_rate,
    place_lost,
    turmoil,
)

EXIT, MOVE, HOME_MOVE, CARE_OPEN, CARE_CLOSE, SUSPENSION, RUNAWAY = range(7)
MAX_EVENTS = 96
MOST_PRONE = 2.31 * math.exp(5.5)  # times the rate: above any child's chance to start to avoid school
WEEKS_IN_WINDOW = 17.2  # calendar.HORIZON in weeks, rounded; truth.parquet depends on the exact number
STEPS = 18  # weeks in which a window lies at least in part


@njit(cache=True)
def uniform(key, purpose, step):
    """Return the uniform number in (0, 1) of a counter."""
    z = (
        np.uint64(key)
        + np.uint64(purpose) * np.uint64(0x9E3779B97F4A7C15)
        + np.uint64(step) * np.uint64(0xD1B54A32D192ED03)
    )
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (np.float64(z >> np.uint64(11)) + 0.5) / 9007199254740992.0


@njit(cache=True)
def normal(key, purpose, step):
    """Return the standard normal number of a counter (Box-Muller)."""
    return math.sqrt(-2.0 * math.log(uniform(key, purpose, 2 * step))) * math.cos(
        6.283185307179586 * uniform(key, purpose, 2 * step + 1)
    )


@njit(cache=True)
def stream(seed, number):
    """Return the key of one stream of random numbers."""
    return np.uint64(uniform(np.uint64(seed), 77, number) * 9007199254740992.0) * np.uint64(2654435761)


@njit(cache=True)
def drift(value, home, pull, draw):
    """Move a mean-reverting state by one week; its long-run standard deviation is one."""
    return value + pull * (home - value) + math.sqrt(2.0 * pull) * draw


@njit(cache=True)
def advance(x, h, crisis, home, key, step, p):
    """Move a child's disengagement and crisis by one week.

    Parameters
    ----------
    x, h : float
        Disengagement of the child, instability of the household.
    crisis : int
        ``CALM``, ``CRISIS``, ``NO_SHOW`` or ``SHOCK``.
    home : float
        Mean to which the child's disengagement reverts.
    p : float64 array
        Parameters, see ``simulation.parameters``.

    Returns
    -------
    x, crisis
    """
    x = drift(x, home, p[0], 0.80 * normal(key, 1, step))
    if crisis == NO_SHOW:
        return x, CALM if uniform(key, 2, step) < ARRIVES else NO_SHOW
    if crisis == SHOCK:
        return x, CALM if uniform(key, 2, step) < p[18] else SHOCK
    return x, CRISIS if uniform(key, 2, step) < crisis_chance(x, h, crisis, p) else CALM


@njit(cache=True)
def avoids(avoiding, x, year, trait, key, step, p):
    """Move a child's avoidance of school by one week; ``trait`` is the log of the child's proneness to it."""
    draw = uniform(key, 13, step)
    if avoiding:
        return 0 if draw < p[15] else 1
    # Nearly all draws are above the chance of any child, which needs no exponential.
    return 1 if draw < MOST_PRONE * p[14] and draw < avoidance_onset(x, year, trait, p) else 0


@njit(cache=True)
def avoidance_onset(x, year, trait, p):
    """Return the chance that a child starts to avoid school this week."""
    return p[14] * math.exp(min(0.65 * x + trait, 5.5)) * (1.0 if year < 7 else 2.3)


@njit(cache=True)
def crisis_chance(x, h, crisis, p):
    """Return the chance of a crisis this week, given the states and last week's crisis."""
    if crisis:
        return 1.0 - p[3]
    return p[2] * math.exp(min(p[4] * x + p[5] * h, 7.0))


@njit(cache=True, parallel=True)
def household_paths(seed, homes, n_weeks, pull):
    """Simulate every household's instability: float32, shape (households, weeks)."""
    n = homes.shape[0]
    paths = np.empty((n, n_weeks), np.float32)
    for j in prange(n):
        key = stream(seed, np.uint64(j) + np.uint64(1_000_000_007))
        h = homes[j] + 0.8 * normal(key, 0, 0)
        for t in range(n_weeks):
            h = drift(h, homes[j], pull, 0.80 * normal(key, 1, t + 1))
            paths[j, t] = h
    return paths


@njit(cache=True)
def help_on(factors, child, step):
    """Return the factor of help on a child's hazards of going missing in a week: 1 without help, and in weeks that ``factors`` does not reach."""
    return factors[child, step] if factors.shape[0] > 0 and step < factors.shape[1] else 1.0


@njit(cache=True, parallel=True)
def lives(seed, household, home, traits, paths, years, summer_end, place, effect, p, term_week, helped):
    """Simulate every child week by week.

    Parameters
    ----------
    household : int array, shape (pupils,)
    home : float array, shape (pupils,)
    traits : float array, shape (pupils, 2)
        Log proneness to avoid school and to be suspended.
    paths : float32 array, shape (households, weeks)
    years : int8 array, shape (pupils, weeks)
        The year group, or -1 when not of school age.
    summer_end : bool array, shape (weeks,)
        Weeks in which the school year ends.
    place : int8 array, shape (pupils,)
        The state of the application for secondary school.
    effect : float array, shape (weeks,)
    p : float array
        Parameters.
    term_week : bool array, shape (weeks,)
    helped : float32 array, shape (pupils, weeks or more)
        The factor of help on the hazards of going missing; of shape (0, 0) if nobody is helped. Weeks after the last are those of windows that
        reach beyond it (``true_risks``).

    Returns
    -------
    x : float32 array, shape (pupils, weeks)
    states : int8 array, shape (pupils, weeks)
        ``CALM``, ``CRISIS``, ``NO_SHOW`` or ``SHOCK``, plus 4 while the child avoids school.
    events : int32 array, shape (pupils, MAX_EVENTS, 3)
        Week, kind and detail of each event.
    counts : int array
    """
    n, n_weeks = years.shape
    xs = np.zeros((n, n_weeks), np.float32)
    cs = np.zeros((n, n_weeks), np.int8)
    events = np.zeros((n, MAX_EVENTS, 3), np.int32)
    counts = np.zeros(n, np.int64)
    for i in prange(n):
        key = stream(seed, np.uint64(i))
        rates = np.zeros(N_EXITS)
        x = home[i] + 0.8 * normal(key, 0, 0)
        crisis, care, care_until, away_until, k = CALM, 0, 0, -1, 0
        prone = avoidance_onset(x, years[i, 0], traits[i, 0], p)
        avoiding = 1 if uniform(key, 14, 0) < prone / (prone + p[15]) else 0
        for t in range(n_weeks):
            h = paths[household[i], t]
            x, crisis = advance(x=x, h=h, crisis=crisis, home=home[i], key=key, step=t + 1, p=p)
            year = years[i, t]
            avoiding = avoids(avoiding=avoiding, x=x, year=year, trait=traits[i, 0], key=key, step=t, p=p)
            if year == 7 and t > 0 and years[i, t - 1] != 7 and t >= away_until:
                lost = (1.0 - LOST_BEFORE) * place_lost(place[i], x, h)
                crisis = NO_SHOW if uniform(key, 15, t) < 0.0010 + 1.3 * lost else crisis
            xs[i, t], cs[i, t] = x, crisis + 4 * avoiding
            if k > MAX_EVENTS - 8:
                continue
            # Social care follows strain at home and crises, whether or not the child is on a roll.
            strained = math.exp(min(0.75 * h + 0.95 * x + 1.3 * avoiding, 4.5)) * (1 + 2 * (crisis == CRISIS))
            starts = uniform(key, 3, t)
            if care == 0 and starts < (0.00080 * strained if t > 0 else 0.024 * strained):
                care = care_level(uniform(key, 4, t), t == 0)
                care_until = t + care_weeks(care, uniform(key, 5, t), uniform(key, 16, t))
                events[i, k, 0], events[i, k, 1], events[i, k, 2] = t, CARE_OPEN, care
                k += 1
            elif care > 0 and t >= care_until:
                events[i, k, 0], events[i, k, 1], events[i, k, 2] = t, CARE_CLOSE, care
                care = 0
                k += 1
            if year < 0 or t < away_until:
                continue
            fled = 0.00005 * math.exp(min(0.9 * x + 0.7 * h, 5.0)) * (1 + 4 * (crisis == CRISIS)) * (year > 5)
            if uniform(key, 6, t) < fled:
                events[i, k, 0], events[i, k, 1], events[i, k, 2] = t, RUNAWAY, 0
                k += 1
            if uniform(key, 7, t) < move_rate(h):
                events[i, k, 0], events[i, k, 1], events[i, k, 2] = t, MOVE, 0
                k += 1
                crisis = SHOCK if crisis == CALM and uniform(key, 17, t) < p[17] else crisis
            if term_week[t] and k < MAX_EVENTS - 30:
                scale = 0.00034 if year < 7 else 0.0032
                if uniform(key, 8, t) < scale * math.exp(min(0.85 * x + traits[i, 1], 6.0)):
                    events[i, k, 0], events[i, k, 1] = t, SUSPENSION
                    events[i, k, 2] = 1 if uniform(key, 9, t) < 0.0130 else 0
                    k += 1
            hazards(x=x, h=h, crisis=crisis, avoiding=avoiding, year=year, effect=effect[t], p=p, out=rates)
            if summer_end[t] and year == 6:
                lost = LOST_BEFORE * place_lost(place[i], x, h)
                rates[MISSING] += 0.6 * lost
                rates[UNKNOWN] += 0.4 * lost
            rates[MISSING] *= help_on(helped, i, t)
            rates[UNKNOWN] *= help_on(helped, i, t)
            draw, below, kind = uniform(key, 10, t), 0.0, -1
            for e in range(N_EXITS):
                below += rates[e]
                if kind < 0 and draw < below:
                    kind = e
            if kind >= 0:
                # Missing children often return to a roll later; the others have left for good.
                back = uniform(key, 11, t) < (0.97 if kind == MISSING else 0.82) and kind <= UNKNOWN
                away_until = t + 3 + int(-6.5 * math.log(uniform(key, 12, t))) if back else n_weeks
                detail = kind + 16 * (away_until if away_until < n_weeks else 0)
                events[i, k, 0], events[i, k, 1], events[i, k, 2] = t, EXIT, detail
                k += 1
                crisis = 0
        counts[i] = k
    return xs, cs, events, counts


@njit(cache=True, parallel=True)
def true_risks(seed, x0, h0, state0, home, traits, h_home, year, place, week, effect, summer_end, p, runs, helped):
    """Estimate each child's chance of going missing by running the process forward many times from one day.

    Each run simulates the slow states only and propagates the probabilities of the fast ones (calm, crisis, no show, shock), a
    Rao-Blackwell estimate: for rare events it needs far fewer runs for the same precision than counting exits. ``helped`` is that of ``lives``, from this week on.
    """
    n = x0.shape[0]
    risks = np.zeros(n)
    for s in prange(n):
        calm, rates, chance = np.zeros(N_EXITS), np.zeros(N_EXITS), np.zeros(4)
        total = 0.0
        leaves = year[s] == 6 or year[s] == 11
        for r in range(runs):
            key = stream(seed, np.uint64(5_000_000_000) + np.uint64(s) * np.uint64(runs) + np.uint64(r))
            x, h, avoiding = x0[s], h0[s], state0[s] // 4
            chance[:] = 0.0
            chance[state0[s] % 4] = 1.0
            for step in range(STEPS):
                t = week[s] + step
                share = 1.0 if step < STEPS - 1 else WEEKS_IN_WINDOW - (STEPS - 1)
                last = t < summer_end.shape[0] and summer_end[t]
                h = drift(h, h_home[s], p[1], 0.80 * normal(key, 3, step))
                x, _ = advance(x=x, h=h, crisis=CALM, home=home[s], key=key, step=step, p=p)
                avoiding = avoids(avoiding=avoiding, x=x, year=year[s], trait=traits[s], key=key, step=step, p=p)
                enter, stay = crisis_chance(x, h, CALM, p), crisis_chance(x, h, CRISIS, p)
                moved = p[17] * move_rate(h) if p[17] > 0.0 else 0.0
                well, ill, absent, shocked = chance[CALM], chance[CRISIS], chance[NO_SHOW], chance[SHOCK]
                chance[CALM] = well * (1.0 - enter - moved) + ill * (1.0 - stay) + absent * ARRIVES + shocked * p[18]
                chance[CRISIS], chance[NO_SHOW] = well * enter + ill * stay, absent * (1.0 - ARRIVES)
                chance[SHOCK] = shocked * (1.0 - p[18]) + well * moved
                now = effect[min(t, effect.shape[0] - 1)]
                lost = LOST_BEFORE * place_lost(place[s], x, h) if last and year[s] == 6 else 0.0
                calm_hazards(x=x, h=h, avoiding=avoiding, year=year[s], effect=now, p=p, out=calm)
                adding = turmoil(h, now)
                for state in range(4):
                    if chance[state] == 0.0:  # it adds nothing; most children can neither be shocked nor fail to arrive
                        continue
                    in_state(state=state, calm=calm, turmoil=adding, effect=now, p=p, out=rates)
                    rates[MISSING] += 0.6 * lost
                    rates[UNKNOWN] += 0.4 * lost
                    rates[MISSING] *= help_on(helped, s, step)
                    rates[UNKNOWN] *= help_on(helped, s, step)
                    total += share * chance[state] * (rates[MISSING] + rates[UNKNOWN])
                    chance[state] *= 1.0 - share * min(rates.sum(), 1.0)
                if last and leaves:
                    break  # the phase ends: the child leaves this roll as planned
        risks[s] = total / runs
    return risks
