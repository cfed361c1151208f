"""Simulated authorities over years, with their features and lists on every second Monday, and the evidence of alarms about records and lists."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl

from benchmarks.faults import Fault, Tables, chosen
from features import Definition
from features.catalogue import catalogue
from features.matrix import matrix
from features.outcome.cohort import cohort
from histories.calendar import HORIZON, as_of_dates, day_number, day_of
from histories.population.simulation import LAST_DAY, simulate
from histories.reading.frames import collect
from histories.reading.histories import SCHOOLING, Histories
from serving.monitoring.evidence import Evidence, Previous
from serving.monitoring.judge import Judgement
from serving.monitoring.outcomes import NOT_MATCHED, outcomes_of
from serving.monitoring.results import ListResult, fates_of
from serving.monitoring.season import YEAR, YEARS_BACK, Season, measured
from serving.store.scores.complete_lists import CompleteList
from training.fitting.candidates import ridge
from training.fitting.rolling_origin import learn_from, matrix_of
from training.task import Task

STEP = timedelta(weeks=2)
A_YEAR = 26  # looks
FOLLOWED = 13  # looks after a fault in records
LONG = 40  # looks after a fault of lists: a model grows old slowly
PLACES = 10
VERSION, AUTHORITY = "1", "801"
DEFINITION = Definition.load()
MATURED = timedelta(days=HORIZON + DEFINITION.known_after_days + 1)
RETRAINED = ((3, 28), (7, 28), (10, 28))  # month and day, as deploy/onroll-retrain.timer
NARROW = dict.fromkeys(catalogue().names, pl.Float32)
WIDE = dict.fromkeys(catalogue().names, pl.Float64)


@dataclass(kw_only=True)
class World:
    """A simulated authority.

    Attributes
    ----------
    tables : dict
        Its records, in canonical form.
    days : list of date
        Every second Monday: two years with which the first looks are compared, and the looks.
    members, x : dict
        The cohort of each day and its features, as known then.
    """

    tables: Tables
    days: list[date]
    members: dict[date, pl.DataFrame] = field(default_factory=dict)
    x: dict[date, pl.DataFrame] = field(default_factory=dict)

    @classmethod
    def simulated(
        cls, seed: int, pupils: int, years: int, scenario: str = "default", *, features: bool = True
    ) -> World:
        """Simulate two years more than are looked at, and compute the features of every day unless no alarm that is looked at needs them."""
        with tempfile.TemporaryDirectory() as folder:
            simulate(Path(folder) / "h", pupils=pupils, years=years + 2, seed=seed, scenario=scenario)
            opened = Histories.open(Path(folder) / "h", engine="polars")
            tables = {name: opened.native(name).collect() for name in sorted(opened.present)}
        last = LAST_DAY - timedelta(days=LAST_DAY.weekday())
        world = cls(tables=tables, days=[last - n * STEP for n in range((years + 2) * A_YEAR)][::-1])
        whole = world.histories()
        for start in range(0, len(world.days), A_YEAR):
            some = world.days[start : start + A_YEAR]
            members = pl.DataFrame(cohort(whole, some))
            world.members |= {d: members.filter(pl.col("as_of") == d) for d in some}
            if features:
                x = pl.DataFrame(matrix(whole, some)).cast(NARROW)  # type: ignore[arg-type]
                world.x |= {d: x.filter(pl.col("as_of") == d) for d in some}
        return world

    @property
    def looks(self) -> list[date]:
        """The days on which alarms are looked at."""
        return self.days[2 * A_YEAR :]

    def histories(self, changed: Tables | None = None) -> Histories:
        """Return the records, some tables changed."""
        tables = {**self.tables, **(changed or {})}
        return Histories({name: t.lazy() for name, t in tables.items()}, [], "polars")

    def around(self, day: date) -> Tables:
        """Return the marks that the seasons of a day and of the year after it read."""
        if "attendance" not in self.tables:
            return {}
        since, until = day_number(day - YEAR - timedelta(weeks=60)), day_number(day + YEAR)
        return {"attendance": self.tables["attendance"].filter(pl.col("date").is_between(since, until))}

    @cached_property
    def model(self) -> Callable[[np.ndarray], np.ndarray]:
        """What gives the margins of snapshots: a ridge regression on what was known at the first look."""
        start, whole = self.looks[0], self.histories()
        days = tuple(as_of_dates(self.days[0], start - timedelta(days=1)))
        labels = Task(as_of=days, until=start).labels(whole)
        x = pl.DataFrame(matrix(whole, sorted(labels["as_of"].unique())))
        frame = x.join(labels, on=["pupil_id", "as_of"]).sort("as_of", "pupil_id").with_columns(weight=pl.lit(1.0))
        return ridge.fit(learn_from(frame, catalogue().names, 1), monotone=True).margins

    def risks(self, x: pl.DataFrame) -> pl.DataFrame:
        """Return the list of a day: ``pupil_id, as_of, authority, risk, rank``."""
        margins = self.model(matrix_of(x.cast(WIDE), catalogue().names))  # type: ignore[arg-type]
        risk = pl.Series("risk", 1 / (1 + np.exp(-margins)))
        rank = pl.col("risk").rank("ordinal", descending=True).cast(pl.Int64).alias("rank")
        return x.select("pupil_id", "as_of", pl.lit(AUTHORITY).alias("authority"), risk).with_columns(rank)

    @cached_property
    def known_days(self) -> np.ndarray:
        """Day numbers on which anything of schooling was recorded, in order."""
        histories = self.histories()
        known = [collect(histories.frame(t).select("known").unique()) for t in SCHOOLING if t in histories.present]
        return np.unique(pl.concat(known)["known"].to_numpy())

    def newest_record(self, day: date) -> date:
        """Return the newest day before a day on which anything of schooling was recorded."""
        return day_of(self.known_days[np.searchsorted(self.known_days, day_number(day)) - 1])

    def season(self, histories: Histories, day: date, x: pl.DataFrame | None, *, again: bool = False) -> Season:
        """Measure the records as of a day; with ``again``, the cohorts are those of these histories."""
        before = [d for n in range(YEARS_BACK, 0, -1) if (d := day - n * YEAR) in self.members]
        days = [*before, day]
        members = pl.DataFrame(cohort(histories, days)) if again else pl.concat([self.members[d] for d in days])
        of_days = None if x is None else pl.concat([*(self.x[d] for d in before), x])
        return measured(histories, members, of_days, day, catalogue().names)


def starts(looks: list[date], followed: int, rng: np.random.Generator) -> Iterator[date]:
    """Yield a Monday of each year from which a fault holds; in a last year that cannot be followed, an earlier one."""
    for year in range(0, len(looks), A_YEAR):
        yield looks[min(year + int(rng.integers(A_YEAR)), len(looks) - 1 - followed)]


def with_fault(world: World, fault: Fault, day: date, rng: np.random.Generator) -> Iterator[tuple[date, Evidence]]:
    """Yield the looks after a fault in records, and their evidence; without features if the world has none."""
    features = fault.features and bool(world.x)
    tables = {**world.tables, **({} if features else world.around(day))}
    changed = fault.put(tables, day_number(day), world.members[day], rng)
    histories = world.histories({**tables, **changed})
    for k in range(1, FOLLOWED + 1):
        look = day + k * STEP
        x = pl.DataFrame(matrix(histories, [look])).cast(NARROW) if features else None  # type: ignore[arg-type]
        stored = [stored_list(world.risks(world.x[d])) for d in same_weeks(world, look)] if x is not None else []
        stored += [stored_list(world.risks(x))] if x is not None else []
        season = world.season(histories, look, x, again="enrolments" in changed)
        yield look, Evidence(judgement=Judgement(), season=season, lists=stored)


def same_weeks(world: World, day: date) -> list[date]:
    """Return the days of lists of the same weeks of the year before."""
    return [d for d in (day - YEAR + n * STEP for n in (-1, 0, 1)) if d in world.x]


def stored_list(scores: pl.DataFrame, **changes: Any) -> CompleteList:
    """Return the list of some scores, as it would be stored."""
    fields = {
        "authority": AUTHORITY,
        "as_of": scores["as_of"][0],
        "model": "onroll",
        "model_version": VERSION,
        "definition": DEFINITION.name,
        "horizon_days": HORIZON,
        "children": len(scores),
        "replaced": 0,
        "mean_risk": scores["risk"].mean(),
        "mean_square": (scores["risk"] ** 2).mean(),
    }
    return CompleteList(**{**fields, **changes})  # type: ignore[arg-type]


@dataclass(kw_only=True)
class Lists:
    """The lists of a world.

    Attributes
    ----------
    stored : dict of CompleteList
        By day.
    first : dict of set
        The children who are first on each.
    matured : dict
        Of each day whose outcomes are known, how many of its children have which fate.
    children : dict
        All children of each list.
    """

    stored: dict[date, CompleteList]
    first: dict[date, set[str]]
    matured: dict[date, dict[str, int]]
    children: dict[date, pl.Series]

    @classmethod
    def of(cls, world: World) -> Lists:
        """Make the list of every day and look up what came."""
        scores = {d: world.risks(world.x[d]) for d in world.days}
        without = tuple(t for t in ("attendance",) if t not in world.tables)
        known = [d for d in world.days if d + MATURED <= world.days[-1]]
        scored = outcomes_of(world.histories(), pl.concat([scores[d] for d in known]), DEFINITION, HORIZON).scored
        return cls(
            stored={d: stored_list(s, missing_tables=without) for d, s in scores.items()},
            first={d: set(s.filter(pl.col("rank") <= PLACES)["pupil_id"]) for d, s in scores.items()},
            matured={d: fates_of(scored.filter(pl.col("as_of") == d)) for d in known},
            children={d: s["pupil_id"] for d, s in scores.items()},
        )

    def evidence(self, day: date, **how: Any) -> Evidence:
        """Return the evidence about lists on a day; ``how`` says what is otherwise.

        Parameters
        ----------
        newest : dict
            Fields of the newest list.
        kept : float
            Share of its first children who were among the first of the list before.
        fates : dict
            Of the newest list with known outcomes.
        retrained : date
            The day of the newest retraining.
        """
        before, newest = self.stored[day - STEP], replace(self.stored[day], **how.get("newest", {}))
        kept = how.get("kept", len(self.first[day] & self.first[day - STEP]) / PLACES)
        at = max(d for d in self.matured if d + MATURED <= day)
        fates = how.get("fates", self.matured[at])
        judged = ListResult(of=self.stored[at], known_from=at + MATURED, fates=fates, figures=_KNOWN)
        judgement = Judgement(lists=[judged], newest_known={(DEFINITION.name, HORIZON): day - MATURED})
        judgement.manifests[VERSION] = _manifest(how.get("retrained", retrained(day)))  # type: ignore[assignment]
        earlier = [x for d, x in self.stored.items() if d < day]
        first = {newest: Previous(of=before, places=PLACES, kept=kept)}
        return Evidence(judgement=judgement, lists=[*earlier, newest], first_children=first)


_KNOWN: Any = SimpleNamespace()  # of a list whose outcomes are known; A005 asks for no more


def retrained(day: date) -> date:
    """Return the newest day before a day on which a version was trained, by the timer of ``deploy/``."""
    return max(r for y in (day.year - 1, day.year) for m, d in RETRAINED if (r := date(y, m, d)) <= day)


def _manifest(trained: date) -> SimpleNamespace:
    newest = max(d for d in as_of_dates(trained - timedelta(days=500), trained) if d <= trained - MATURED)
    return SimpleNamespace(newest_labelled=str(newest), trained_on=[str(newest)])


def _missing_table(lists: Lists, day: date, start: date) -> Evidence:
    return lists.evidence(day, newest={"missing_tables": ("sen",)})


def _doubled(lists: Lists, day: date, start: date) -> Evidence:
    newest = lists.stored[day]
    return lists.evidence(day, newest={"mean_risk": 2 * newest.mean_risk, "mean_square": 4 * newest.mean_square})


def _other_pseudonyms(lists: Lists, day: date, start: date) -> Evidence:
    at = max(d for d in lists.matured if d + MATURED <= day)
    lost = dict.fromkeys(lists.matured[at], 0) | {NOT_MATCHED: lists.stored[at].children}
    return lists.evidence(day, fates=lost, **({"kept": 0.0} if day == start + STEP else {}))


def _a_tenth_not_imported(lists: Lists, day: date, start: date) -> Evidence:
    at = max(d for d in lists.matured if d + MATURED <= day)
    children = lists.children[at]
    lost = len(chosen(children, 0.1, np.random.Generator(np.random.PCG64(day_number(start)))))
    fates = {**lists.matured[at], NOT_MATCHED: lists.matured[at][NOT_MATCHED] + lost}
    return lists.evidence(day, fates=fates)


def _in_random_order(lists: Lists, day: date, start: date) -> Evidence:
    rng = np.random.Generator(np.random.PCG64(day_number(day)))
    drawn = [set(chosen(lists.children[d], PLACES / len(lists.children[d]), rng)) for d in (day - STEP, day)]
    return lists.evidence(day, kept=len(drawn[0] & drawn[1]) / PLACES)


def _never_retrained(lists: Lists, day: date, start: date) -> Evidence:
    return lists.evidence(day, retrained=retrained(start))


# Fault, alarm, and what gives the evidence of a day after its start.
LIST_FAULTS: tuple[tuple[str, str, Callable[[Lists, date, date], Evidence]], ...] = (
    ("a tenth of the children is not imported any more", "A005", _a_tenth_not_imported),
    ("pseudonyms are made with another key", "A005", _other_pseudonyms),
    ("pseudonyms are made with another key", "A008", _other_pseudonyms),
    ("a list is made without a table", "A006", _missing_table),
    ("all risks are twice as high", "A007", _doubled),
    ("lists are in random order", "A008", _in_random_order),
    ("nobody trains again", "A015", _never_retrained),
)
LIST_CODES = ("A005", "A006", "A007", "A008", "A015")
