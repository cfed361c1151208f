"""Help in the simulation: whom a list or a table of actions reaches, when, and by what factor the hazards of going missing fall.

Children's lives do not touch each other, and random numbers are counted, so help changes the life of the child who is helped, from the help on. Lists
follow one another: who stands on one depends on the help before it, so lives are simulated again after each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from histories.calendar import as_of_dates
from histories.errors import Fault, Faults
from histories.population.life import EXIT, STEPS
from histories.population.roll import SimulatedPeriod
from histories.population.state import NOBODY_HELPED, PopulationState
from histories.population.truth import risks_on

TEAM = "attendance"
RANKING_RUNS = 16  # enough to order a list by; true risks take more
Lived = tuple[PopulationState, np.ndarray, np.ndarray]
Row = tuple[int, date, str, str | None, date]
COLUMNS = {"actions": ("pupil_id", "date", "kind"), "ranking": ("pupil_id", "as_of", "rank")}
KINDS = {"pupil_id": pl.String, "date": pl.Date, "kind": pl.String, "as_of": pl.Date, "rank": pl.Int64}


def with_help(
    live: Callable[[np.ndarray], Lived], settings: dict[str, Any], clock: SimulatedPeriod, ids: np.ndarray
) -> tuple[Lived, list[Row] | None]:
    """Simulate lives with the help of a scenario.

    Parameters
    ----------
    live : callable
        Simulates every life, given the factors of help.
    settings : dict
        The scenario's part ``help``.

    Returns
    -------
    lived, rows
        The state, the events and their counts; and the rows of ``interventions``, None if the scenario has no help.

    Raises
    ------
    Faults
        If a table that the scenario names cannot be used.
    """
    if not settings["first"] and not settings["actions"]:
        return live(NOBODY_HELPED), None
    numbers = {pupil: n for n, pupil in enumerate(ids.tolist())}
    rows = _actions(settings, numbers)
    # Help works on after the last week: the true risks of the last windows need to know for how long.
    factors = np.ones((len(ids), clock.weeks + STEPS), np.float32)
    _mark(factors, rows, settings, clock)
    lived = live(factors)
    if settings["first"]:
        lists = _lists(settings, numbers)
        days = sorted(lists) if settings["ranking"] else as_of_dates(clock.first + timedelta(days=1), clock.end)
        for day in (d for d in days if settings["since"] <= d <= clock.end):
            new = _helped_after(day, lived, lists.get(day), settings, clock)
            _mark(factors, new, settings, clock)
            rows += new
            lived = live(factors) if new else lived
    unique = {row[:3]: row for row in rows if row[1] <= clock.end and row[4] <= clock.end}
    return lived, list(unique.values())


def at_school(events: np.ndarray, counts: np.ndarray, years: np.ndarray, week: int) -> np.ndarray:
    """Return which children are of school age and not away when a week begins: bool, shape (pupils,)."""
    happened = np.arange(events.shape[1]) < counts[:, None]
    left = happened & (events[:, :, 1] == EXIT) & (events[:, :, 0] < week)
    back = events[:, :, 2] // 16
    return ~(left & ((back == 0) | (back > week))).any(axis=1) & (years[:, week] >= 0)


def _helped_after(
    day: date, lived: Lived, ranked: list[int] | None, settings: dict[str, Any], clock: SimulatedPeriod
) -> list[Row]:
    """Return the help that follows the lists of a day: their first children who are still there when it comes."""
    state, events, counts = lived
    week, helped_on = (day - clock.first).days // 7, day + timedelta(days=settings["after_days"])
    if _week_from(helped_on, clock) >= clock.weeks or helped_on > clock.end:
        return []
    chosen = (
        ranked if ranked is not None else _first(state, at_school(events, counts, state.years, week), week, settings)
    )
    there = at_school(events, counts, state.years, _week_from(helped_on, clock))
    return [(c, helped_on, settings["kind"], TEAM, helped_on) for c in chosen if there[c]]


def _first(state: PopulationState, there: np.ndarray, week: int, settings: dict[str, Any]) -> list[int]:
    """Return the first children of each authority by their true risk without help."""
    children = np.flatnonzero(there)
    risk = risks_on(state, children, week, NOBODY_HELPED, RANKING_RUNS)
    authority = state.world.authority[state.world.household[children]]
    order = np.lexsort((children, -risk))
    return [
        int(children[n])
        for a in range(int(authority.max(initial=-1)) + 1)
        for n in order[authority[order] == a][: settings["first"]]
    ]


def _mark(factors: np.ndarray, rows: Iterable[Row], settings: dict[str, Any], clock: SimulatedPeriod) -> None:
    """Let help that was given by the last day work from the first Monday on or after it."""
    for child, day, *_ in (row for row in rows if row[1] <= clock.end):
        start = _week_from(day, clock)
        factors[child, max(start, 0) : max(start + settings["weeks"], 0)] = settings["factor"]


def _week_from(day: date, clock: SimulatedPeriod) -> int:
    return -(-(day - clock.first).days // 7)


def _actions(settings: dict[str, Any], numbers: dict[str, int]) -> list[Row]:
    if not settings["actions"]:
        return []
    frame = _read(Path(settings["actions"]), "actions", numbers)
    for name, kind, lacking in (("team", pl.String, pl.lit(None)), ("recorded_on", pl.Date, pl.col("date"))):
        value = pl.col(name).cast(kind).fill_null(lacking) if name in frame.columns else lacking
        frame = frame.with_columns(value.alias(name))
    rows = frame.select("pupil_id", "date", "kind", "team", "recorded_on").iter_rows()
    return [(numbers[pupil], *rest) for pupil, *rest in rows]


def _lists(settings: dict[str, Any], numbers: dict[str, int]) -> dict[date, list[int]]:
    """Return the first children of the lists of each day, by rank."""
    if not settings["ranking"]:
        return {}
    frame = _read(Path(settings["ranking"]), "ranking", numbers).filter(pl.col("rank") <= settings["first"])
    lists: dict[date, list[int]] = {}
    for pupil, day in frame.sort("as_of", "rank", "pupil_id").select("pupil_id", "as_of").iter_rows():
        lists.setdefault(day, []).append(numbers[pupil])
    return lists


def _read(file: Path, key: str, numbers: dict[str, int]) -> pl.DataFrame:
    """Read a table that a scenario names; its faults name no child."""
    where, columns = f"{file}, help.{key}", COLUMNS[key]
    do = f"Name a Parquet or CSV file with {', '.join(columns)}."
    try:
        frame = pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_csv(file, try_parse_dates=True)
        frame = frame.with_columns(pl.col(c).cast(KINDS[c]) for c in columns)
    except (OSError, pl.exceptions.PolarsError):
        raise Faults(Fault("the table cannot be read", where, do)) from None
    empty = frame.select(pl.any_horizontal(pl.col(columns).is_null())).to_series().sum()
    unknown = (~frame["pupil_id"].is_in(list(numbers))).sum()
    faults = [Fault(f"{empty:,} rows have an empty value", where, do)] if empty else []
    if unknown:
        same = "Use the seed, the numbers and the last day of the simulation that the table was made from."
        faults.append(Fault(f"{unknown:,} rows are of children who are not in this population", where, same))
    if faults:
        raise Faults(faults)
    return frame
