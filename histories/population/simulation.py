"""Simulate a population and write it as histories; the same seed gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from histories.calendar import ONE_DAY, day_number, school_days
from histories.errors import Fault, Usage
from histories.identity import LETTERS, upn_with_check_letter
from histories.io.atomic_write import new_folder, not_new
from histories.population import life, records, roll, world
from histories.population.attendance import write_daily, write_termly
from histories.population.help import Lived, with_help
from histories.population.scenario import load_scenario
from histories.population.state import PopulationState
from histories.population.truth import true_risks

LAST_DAY = date(2025, 12, 31)  # so that the same seed gives the same bytes, whenever it runs
EARLIEST, LATEST = date(2015, 1, 1), date(2035, 12, 31)  # of last days
TEMPORARY_UPNS = 0.004  # assumption: we know of no published share


def simulate(
    out: Path | str,
    *,
    pupils: int = 5000,
    years: int = 4,
    authorities: int = 1,
    seed: int = 1,
    scenario: Path | str = "default",
    truth: bool = False,
    truth_since: date | None = None,
    csv: bool = False,
    last_day: date | None = None,
    advance: Callable[..., None] = lambda steps=1, description=None: None,
) -> dict[str, int]:
    """Write the histories of a simulated population.

    Parameters
    ----------
    out : Path or str
        A folder that does not exist yet, or is empty.
    pupils : int
        Approximate number of children on roll at any time.
    years : int
        Full school years; what follows them until the last day is added, so that the outcomes of the last summer become known.
    authorities : int
        Number of local authorities.
    seed : int
        The same seed gives the same bytes.
    scenario : str or Path
        Name or path of a scenario.
    truth : bool
        Also write ``truth.parquet``, the true risk of every snapshot: without help, and with it if anybody was helped.
    truth_since : date, optional
        True risks of as-of dates from this day on only; they take most of the time.
    csv : bool
        Write CSV instead of Parquet.
    last_day : date, optional
        The last day on which anything is recorded; the end of 2025 without it.

    Returns
    -------
    dict
        Number of rows written, by table.

    Raises
    ------
    Faults
        If the scenario is invalid, a number is out of range, or the folder is not empty.
    """
    out = Path(out)
    _check(out, pupils, years, authorities, seed=seed, last_day=last_day)
    loaded = load_scenario(str(scenario))
    with new_folder(out) as beside:
        return _run(
            beside,
            pupils=pupils,
            years=years,
            authorities=authorities,
            seed=seed,
            scenario=loaded,
            truth=truth,
            truth_since=truth_since,
            csv=csv,
            last_day=last_day or LAST_DAY,
            advance=advance,
        )


def _check(out: Path, pupils: int, years: int, authorities: int, *, seed: int, last_day: date | None) -> None:
    faults = []
    if last_day is not None and not (type(last_day) is date and EARLIEST <= last_day <= LATEST):
        do = f"Use a day from {EARLIEST} to {LATEST}; in Python a date."
        faults.append(Fault("the day is out of range", "--last-day", do))
    for what, value, low, high in (
        ("--pupils", pupils, 100, 10_000_000),
        ("--years", years, 1, 12),
        ("--authorities", authorities, 1, 150),
        ("--seed", seed, 0, 2**31),
    ):
        if not (isinstance(value, Integral) and low <= value <= high):
            faults.append(Fault("the number is out of range", what, f"Use a whole number from {low} to {high}."))
    faults += not_new(out)
    if faults:
        raise Usage(faults)


def parameters(s: dict[str, Any]) -> np.ndarray:
    """Return the numbers of a scenario as an array for the compiled process, in the order of ``life.advance`` and ``chances.hazards``."""
    latent, exits = s["latent"], s["exits"]
    names = [
        "missing",
        "unknown",
        "home_education",
        "other_authority",
        "independent",
        "abroad",
        "crisis_missing",
        "crisis_unknown",
    ]
    avoidance = [latent["avoidance_rate"], latent["avoidance_end"], exits["avoidance_home_education"]]
    first = [
        "engagement_pull",
        "stability_pull",
        "crisis_rate",
        "crisis_end",
        "crisis_engagement",
        "crisis_stability",
    ]
    shock = [latent["shock_after_move"], latent["shock_end"], exits["shock_missing"], exits["shock_unknown"]]
    return np.array([latent[n] for n in first] + [exits[n] for n in names] + avoidance + shock, float)


def _run(
    out: Path,
    *,
    pupils: int,
    years: int,
    authorities: int,
    seed: int,
    scenario: dict[str, Any],
    truth: bool,
    truth_since: date | None,
    csv: bool,
    last_day: date,
    advance: Callable[..., None],
) -> dict[str, int]:
    """Simulate a population and write its tables; return the number of rows by table."""
    rng = np.random.Generator(np.random.PCG64(seed))
    clock = roll.SimulatedPeriod.until(last_day, years)
    first_year = (clock.first + 6 * ONE_DAY).year
    w = world.make_world(
        rng=rng, pupils=pupils, years=years, authorities=authorities, first_year=first_year, scenario=scenario
    )
    n = len(w.cohort)
    ids = np.array([f"P{v:07d}" for v in rng.permutation(n * 7)[:n]])
    advance(description="lives from week to week")
    population = _before_lives(out=out, csv=csv, seed=seed, scenario=scenario, clock=clock, w=w, ids=ids)
    (state, events, counts), given = with_help(partial(_lived, population), scenario["help"], clock, ids)
    rolls = roll.make_rolls(rng=rng, world=w, clock=clock, events=events, counts=counts, delays=_delays(scenario, w))
    advance(description="records of schools and services")
    _write_records(state, rng, rolls, events, counts)
    if given is not None:
        state.write_table("interventions", given)
    if "attendance" not in scenario["tables"]["missing"]:
        advance(description="attendance marks")
        write = write_daily if scenario["tables"]["daily_marks"] else write_termly
        write(state, rolls, advance)
    if truth:
        advance(description="true risks")
        pq.write_table(true_risks(state, rolls, truth_since), out / "truth.parquet", compression="zstd")
    return state.row_counts


def _before_lives(
    *,
    out: Path,
    csv: bool,
    seed: int,
    scenario: dict[str, Any],
    clock: roll.SimulatedPeriod,
    w: world.World,
    ids: np.ndarray,
) -> PopulationState:
    """Return the population with all that its children's lives depend on."""
    params = parameters(scenario)
    open_days = np.array([day_number(d) for d in school_days(clock.first, clock.end)], np.int32)
    week_of_day = (open_days - day_number(clock.first)) // 7
    in_period = week_of_day < clock.weeks
    open_days, week_of_day = open_days[in_period], week_of_day[in_period]
    in_term = np.zeros(clock.weeks, bool)
    in_term[week_of_day] = True
    return PopulationState(
        out=out,
        csv=csv,
        seed=seed,
        scenario=scenario,
        clock=clock,
        world=w,
        ids=ids,
        params=params,
        years=roll.year_groups(w, clock),
        summer=roll.summer_weeks(clock),
        paths=life.household_paths(seed, w.stability_home, clock.weeks, params[1]),
        effect=_effect(scenario, clock),
        open_days=open_days,
        week_of_day=week_of_day,
        in_term=in_term,
    )


def _lived(population: PopulationState, helped: np.ndarray) -> Lived:
    """Simulate every child week by week with some help: the state, the events and their counts."""
    w = population.world
    xs, cs, events, counts = life.lives(
        seed=population.seed,
        household=w.household,
        home=w.engagement_home,
        traits=w.traits,
        paths=population.paths,
        years=population.years,
        summer_end=population.summer,
        place=w.place,
        effect=population.effect,
        p=population.params,
        term_week=population.in_term,
        helped=helped,
    )
    return replace(population, xs=xs, cs=cs, helped=helped), events, counts


def _effect(scenario: dict[str, Any], clock: roll.SimulatedPeriod) -> np.ndarray:
    exits = scenario["exits"]
    late = np.array([clock.monday(t) >= exits["effect_from"] for t in range(clock.weeks)])
    return np.where(late, float(exits["effect"]), 1.0)


def _delays(scenario: dict[str, Any], w: world.World) -> np.ndarray:
    recording = scenario["recording"]
    second = w.authority[w.household] % 2 == 1
    slower = 1.0 + 2.0 * float(scenario["place"]["authorities_differ"]) * second
    return np.outer(slower, [float(recording["leaving_delay"]), float(recording["case_delay"])])


def _write_records(
    state: PopulationState, rng: np.random.Generator, rolls: roll.Rolls, events: np.ndarray, counts: np.ndarray
) -> None:
    """Write every table except attendance; the order of draws from ``rng`` determines the bytes."""
    w, clock, recording = state.world, state.clock, state.scenario["recording"]
    urns = w.schools["urn"]
    authorities = np.array([str(world.FIRST_AUTHORITY + int(a)) for a in w.authority])[w.household]
    born = [
        date(int(c) - 5, 9, 1) + int(d) * ONE_DAY
        for c, d in zip(w.cohort, rng.integers(0, 365, len(w.cohort)), strict=True)
    ]
    upns = _upns(rng, authorities, w.cohort, float(recording["upn_missing"]))
    language = np.where(w.english, "eng", "und")
    carer = (rng.random(len(w.cohort)) < 0.011).tolist()
    pupils = list(zip(range(len(upns)), upns, born, w.sex, w.ethnicity, language, authorities, carer, strict=True))
    sen, fsm = records.needs_and_meals(rng, w, clock)
    suspended, state.excluded = records.suspensions(rng, clock, events, counts, state.open_days)
    at_school = _school_on(rolls, urns)
    suspended = [(i, urn, *rest) for i, *rest in suspended if (urn := at_school(i, rest[0])) is not None]
    homes = records.homes(rng, w, clock, state.paths)
    care = records.social_care(rng, clock, events, counts, float(recording["care_delay"]))
    state.write_table("pupils", pupils)
    state.write_table("enrolments", _enrolments(rolls, urns, clock.end))
    state.write_table("sen", sen)
    state.write_table("fsm", fsm)
    state.write_table("suspensions", suspended)
    state.write_table("addresses", homes)
    state.write_table("areas", [(f"E01{i:06d}", int(d)) for i, d in enumerate(w.decile)])
    state.write_table("schools", list(zip(*w.schools.values(), strict=True)))
    state.write_table("social_care", care)
    state.write_table("admissions", rolls.admissions)
    state.write_table("cme", rolls.cases)


def _enrolments(rolls: roll.Rolls, urns: list[str], end: date) -> list[tuple]:
    """Return the rows of enrolments that were recorded by the last day."""
    rows = [
        (
            s.child,
            urns[s.school],
            s.entry,
            s.leaving,
            "C",
            "R" if s.year == 0 else str(s.year),
            s.ground,
            s.destination,
            None if s.next_school is None else urns[s.next_school],
            s.entry_known,
            s.leaving_known,
        )
        for s in rolls.spells
    ]
    return [_as_recorded(row, end) for row in rows if row[9] <= end]


def _as_recorded(spell: tuple, end: date) -> tuple:
    """Drop a leaving that was not recorded before the histories end."""
    if spell[10] is not None and spell[10] > end:
        return (*spell[:3], None, *spell[4:6], None, None, None, spell[9], None)
    return spell


def _upns(rng: np.random.Generator, la: np.ndarray, cohort: np.ndarray, missing: float) -> list[str | None]:
    """Draw unique pupil numbers with check letters; a few are missing, a few temporary (ending in a letter)."""
    draw, number = rng.random(len(la)), rng.permutation(len(la))
    upns: list[str | None] = []
    for a, n, c, d in zip(la, number, cohort, draw, strict=True):
        rest = f"{a}{n // 1000:04d}{c % 100:02d}{n % 1000:03d}"
        temporary = d > 1 - TEMPORARY_UPNS
        rest = rest[:-1] + LETTERS[n % 10] if temporary else rest
        upns.append(None if d < missing else upn_with_check_letter(rest))
    return upns


def _school_on(rolls: roll.Rolls, urns: list[str]) -> Callable[[int, date], str | None]:
    by_child: dict[int, list[roll.Spell]] = {}
    for s in rolls.spells:
        by_child.setdefault(s.child, []).append(s)

    def find(child: int, day: date) -> str | None:
        for s in by_child.get(child, ()):
            if s.entry <= day and (s.leaving is None or day <= s.leaving):
                return urns[s.school]
        return None

    return find
