"""Make a population and write it as histories: the same seed gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from histories.calendar import school_days
from histories.errors import Fault, Usage
from histories.identity import LETTERS, upn_with_check_letter
from histories.io.atomic_write import new_folder, not_new
from histories.population import life, records, roll, world
from histories.population.scenario import load_scenario
from histories.reading.histories import day_number
from histories.tables import TABLES

LAST_SCHOOL_YEAR = 2024  # the newest full school year ends in the summer after
DAY = timedelta(days=1)
TEMPORARY_UPNS = 0.004  # assumption: no published share was found
KINDS = {"text": pa.string(), "date": pa.date32(), "integer": pa.int64(), "boolean": pa.bool_()}


def simulate(
    out: Path,
    *,
    pupils: int = 5000,
    years: int = 4,
    authorities: int = 1,
    seed: int = 1,
    scenario: str = "default",
    truth: bool = False,
    csv: bool = False,
    advance: Callable[..., None] = lambda steps=1, description=None: None,
) -> dict[str, int]:
    """Write the histories of a made-up population.

    Parameters
    ----------
    out : Path
        A folder that does not exist yet, or is empty.
    pupils : int
        Children on a roll at any time, about.
    years : int
        Full school years; the autumn term after them is added, so that the last summer's outcomes become known.
    authorities : int
        How many authorities they live in.
    seed : int
        The same seed gives the same bytes.
    scenario : str
        Name or path of a scenario.
    truth : bool
        Also write ``truth.parquet`` with the true risk of every snapshot.
    csv : bool
        Write CSV instead of Parquet.

    Returns
    -------
    dict
        Rows written of each table.

    Raises
    ------
    Faults
        When the scenario is wrong or the folder holds something.
    """
    _check(out, pupils, years, authorities, seed)
    settings = load_scenario(scenario)
    with new_folder(out) as beside:
        rows = Simulation(
            out=beside, pupils=pupils, years=years, authorities=authorities, seed=seed, scenario=settings, csv=csv
        ).run(truth, advance)
    return rows


def _check(out: Path, pupils: int, years: int, authorities: int, seed: int) -> None:
    faults = []
    for what, value, low, high in (
        ("--pupils", pupils, 100, 10_000_000),
        ("--years", years, 1, 12),
        ("--authorities", authorities, 1, 150),
        ("--seed", seed, 0, 2**31),
    ):
        if not low <= value <= high:
            faults.append(Fault("the number is out of range", what, f"Use a number from {low} to {high}."))
    faults += not_new(out)
    if faults:
        raise Usage(faults)


def parameters(s: dict[str, Any]) -> np.ndarray:
    """Lay a scenario's numbers out for the compiled process; the order is that of ``life.advance`` and ``life.hazards``."""
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
    return np.array([latent[n] for n in first] + [exits[n] for n in names] + avoidance, float)


class Simulation:
    """One population while it is being made."""

    def __init__(
        self,
        out: Path,
        pupils: int,
        years: int,
        authorities: int,
        seed: int,
        scenario: dict[str, Any],
        csv: bool,
    ) -> None:
        self.out, self.seed, self.scenario, self.csv = out, seed, scenario, csv
        first_year = LAST_SCHOOL_YEAR + 1 - years
        start = date(first_year, 9, 1)
        first = start - start.weekday() * DAY
        end = date(LAST_SCHOOL_YEAR + 1, 12, 31)
        self.clock = roll.SimulatedPeriod(first, (end - first).days // 7, end)
        self.rng = np.random.Generator(np.random.PCG64(seed))
        self.world = world.make_world(
            rng=self.rng, pupils=pupils, years=years, authorities=authorities, first_year=first_year, scenario=scenario
        )
        n = len(self.world.cohort)
        self.ids = np.array([f"P{v:07d}" for v in self.rng.permutation(n * 7)[:n]])
        self.params = parameters(scenario)
        self.written: dict[str, int] = {}

    def run(self, truth: bool, advance: Callable[..., None]) -> dict[str, int]:
        """Make everything and write it."""
        w, clock = self.world, self.clock
        advance(description="lives from week to week")
        self.years = roll.year_groups(w, clock)
        self.summer = roll.summer_weeks(clock)
        self.paths = life.household_paths(self.seed, w.stability_home, clock.weeks, self.params[1])
        self.effect = self._effect()
        open_days = np.array([day_number(d) for d in school_days(clock.first, clock.end)], np.int32)
        in_term = np.zeros(clock.weeks, bool)
        self.week_of_day = (open_days - day_number(clock.first)) // 7
        keep = self.week_of_day < clock.weeks
        open_days, self.week_of_day = open_days[keep], self.week_of_day[keep]
        in_term[self.week_of_day] = True
        self.open_days = open_days
        self.xs, self.cs, events, counts = life.lives(
            seed=self.seed,
            household=w.household,
            home=w.engagement_home,
            traits=w.traits,
            paths=self.paths,
            years=self.years,
            summer_end=self.summer,
            place=w.place,
            effect=self.effect,
            p=self.params,
            term_week=in_term,
        )
        rolls = roll.make_rolls(rng=self.rng, world=w, clock=clock, events=events, counts=counts, delays=self._delays())
        advance(description="records of schools and services")
        self._write_tables(rolls, events, counts)
        advance(description="attendance marks")
        self._write_marks(rolls, advance)
        if truth:
            advance(description="true risks")
            self._write_truth(rolls)
        return self.written

    def _effect(self) -> np.ndarray:
        exits = self.scenario["exits"]
        late = np.array([self.clock.monday(t) >= exits["effect_from"] for t in range(self.clock.weeks)])
        return np.where(late, float(exits["effect"]), 1.0)

    def _delays(self) -> np.ndarray:
        recording = self.scenario["recording"]
        second = self.world.authority[self.world.household] % 2 == 1
        slower = 1.0 + 2.0 * float(self.scenario["place"]["authorities_differ"]) * second
        return np.outer(slower, [float(recording["leaving_delay"]), float(recording["case_delay"])])

    def _write_tables(self, rolls: roll.Rolls, events: np.ndarray, counts: np.ndarray) -> None:
        w, clock, recording = self.world, self.clock, self.scenario["recording"]
        urns = w.schools["urn"]
        la = np.array([str(world.FIRST_AUTHORITY + int(a)) for a in w.authority])[w.household]
        born = [
            date(int(c) - 5, 9, 1) + int(d) * DAY
            for c, d in zip(w.cohort, self.rng.integers(0, 365, len(w.cohort)), strict=True)
        ]
        upns = _upns(self.rng, la, w.cohort, float(recording["upn_missing"]))
        language = np.where(w.english, "eng", "und")
        carer = self.rng.random(len(w.cohort)) < 0.011
        pupils = list(zip(range(len(la)), upns, born, w.sex, w.ethnicity, language, la, carer.tolist(), strict=True))
        spells = [
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
        spells = [_as_recorded(s, clock.end) for s in spells if s[9] <= clock.end]
        sen, fsm = records.needs_and_meals(self.rng, w, clock)
        suspended, self.excluded = records.suspensions(self.rng, clock, events, counts, self.open_days)
        at_school = _school_on(rolls, urns)
        suspended = [(i, urn, *rest) for i, *rest in suspended if (urn := at_school(i, rest[0])) is not None]
        self._write("pupils", pupils)
        self._write("enrolments", spells)
        self._write("sen", sen)
        self._write("fsm", fsm)
        self._write("suspensions", suspended)
        self._write("addresses", records.homes(self.rng, w, clock, self.paths))
        self._write("areas", [(f"E01{i:06d}", int(d)) for i, d in enumerate(w.decile)])
        self._write("schools", list(zip(*w.schools.values(), strict=True)))
        self._write(
            "social_care",
            records.social_care(self.rng, clock, events, counts, float(recording["care_delay"])),
        )
        self._write("admissions", rolls.admissions)
        self._write("cme", rolls.cases)

    def _write(self, name: str, rows: list[tuple]) -> None:
        if name in self.scenario["tables"]["missing"]:
            return
        columns = list(TABLES[name].columns.values())
        values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
        arrays = []
        for c, column in zip(columns, values, strict=True):
            if c.name == "pupil_id":
                arrays.append(pa.array(self.ids[np.array(column, int)] if len(column) else [], pa.string()))
            else:
                arrays.append(pa.array([None if v is None else _plain(v, c.kind) for v in column], KINDS[c.kind]))
        table = pa.table(dict(zip([c.name for c in columns], arrays, strict=True)))
        keys = [(k, "ascending") for k in TABLES[name].key]
        self._save(
            name,
            table.sort_by(
                [
                    *keys,
                    *[
                        (k, "ascending")
                        for k in TABLES[name].known[:1]
                        if k in table.column_names and k not in TABLES[name].key
                    ],
                ]
            ),
        )

    def _save(self, name: str, table: pa.Table) -> None:
        self.written[name] = table.num_rows
        if self.csv:
            pa.csv.write_csv(table, self.out / f"{name}.csv")
        else:
            pq.write_table(table, self.out / f"{name}.parquet", compression="zstd", row_group_size=200_000)

    def _write_marks(self, rolls: roll.Rolls, advance: Callable[..., None]) -> None:
        if "attendance" in self.scenario["tables"]["missing"]:
            return
        from histories.population.attendance import write_daily, write_termly

        write = write_daily if self.scenario["tables"]["daily_marks"] else write_termly
        write(self, rolls, advance)

    def _write_truth(self, rolls: roll.Rolls) -> None:
        from histories.population.truth import true_risks

        pq.write_table(true_risks(self, rolls), self.out / "truth.parquet", compression="zstd")


def _plain(value: Any, kind: str) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _as_recorded(spell: tuple, end: date) -> tuple:
    """Take away a leaving that nobody had recorded when the histories end."""
    if spell[10] is not None and spell[10] > end:
        return (*spell[:3], None, *spell[4:6], None, None, None, spell[9], None)
    return spell


def _upns(rng: np.random.Generator, la: np.ndarray, cohort: np.ndarray, missing: float) -> list[str | None]:
    """Draw unique pupil numbers with their check letters; a few are missing, and a few temporary (they end in a letter)."""
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
