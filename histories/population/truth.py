"""The true risk of each snapshot: the process simulated forward many times from the state on that day."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from histories.calendar import as_of_dates
from histories.population import life, roll
from histories.population.state import NOBODY_HELPED, PopulationState

RUNS = 64
NO_RISK = pa.table(
    {"pupil_id": pa.array([], pa.string()), "as_of": pa.array([], pa.date32()), "risk": pa.array([], pa.float64())}
)


def true_risks(state: PopulationState, rolls: roll.Rolls, since: date | None = None) -> pa.Table:
    """Return ``pupil_id, as_of, risk`` for the default cohort and the default ``HORIZON``.

    Every exit to an unknown destination counts. The default definition counts it only after 20 school days on no roll, so about a fifth fewer children
    have the outcome than the risks say (``benchmarks.worlds.counted``).

    A child who has already left, even if this is not recorded yet, can no longer go missing and has no row. If anybody was helped, ``risk`` is that
    without help from the day on, also without what earlier help still does, and ``risk_with_help`` that with the help that was given, before the day and after it.

    Parameters
    ----------
    since : date, optional
        Only for as-of dates from this day on.
    """
    days = as_of_dates(state.clock.first + timedelta(days=1), state.clock.end)
    tables = [_on(state, rolls, day) for day in days if since is None or day >= since]
    return pa.concat_tables(tables or [NO_RISK]).sort_by([("as_of", "ascending"), ("pupil_id", "ascending")])


def _on(state: PopulationState, rolls: roll.Rolls, day: date) -> pa.Table:
    week = (day - state.clock.first).days // 7
    open_case = {c[0] for c in rolls.cases if c[2] < day and (c[3] is None or c[3] >= day)}
    children = sorted(
        {
            s.child
            for s in rolls.spells
            if s.entry <= day
            and s.entry_known < day
            and (s.leaving is None or s.leaving >= day)
            and s.child not in open_case
        }
    )
    ids = np.array(children, int)
    ids = ids[state.years[ids, week] >= 0]
    columns = {
        "pupil_id": state.ids[ids],
        "as_of": pa.array([day] * len(ids), pa.date32()),
        "risk": risks_on(state, ids, week, NOBODY_HELPED),
    }
    if len(state.helped):
        columns["risk_with_help"] = risks_on(state, ids, week, state.helped[ids, week:])
    return pa.table(columns)


def risks_on(state: PopulationState, ids: np.ndarray, week: int, helped: np.ndarray, runs: int = RUNS) -> np.ndarray:
    """Return the true risks of children from a week on; ``helped`` as for ``life.true_risks``."""
    w = state.world
    home = w.household[ids]
    return life.true_risks(
        seed=state.seed + 1000 + week,
        x0=state.xs[ids, week - 1].astype(float),
        h0=state.paths[home, week - 1].astype(float),
        state0=state.cs[ids, week - 1],
        home=w.engagement_home[ids],
        traits=w.traits[ids, 0],
        h_home=w.stability_home[home],
        year=state.years[ids, week],
        place=w.place[ids],
        week=np.full(len(ids), week),
        effect=state.effect,
        summer_end=state.summer,
        p=state.params,
        runs=runs,
        helped=helped,
    )
