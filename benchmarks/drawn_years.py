"""Weekly lists of drawn authorities over two years: a year without a fault, then one in which outcomes come otherwise than the risks say.

A child has a rate of going missing that does not change, most of them tiny; one who goes missing is replaced by another with the same rate, so that
an authority stays as it is. Each week a list states each child's true risk within the horizon. From the week of a fault on,

- outcomes come twice, half or four times as often;
- the rates belong to other children, so that the list is in no order;
- what makes children differ matters about half as much, as in the scenario ``drift``, at the same rate on the whole;
- or the children of a group, one in five, look safe: all their risks are a tenth.

Alarms are looked at every second week, after a fault every fourth, with the lists whose outcomes are known by then: those 26 weeks old and older.

``python -m benchmarks.drawn_years [--children 600,1500,3000,10000] [--places 8] [--worlds 100] [--term 0]`` measures years without a fault, by the size of
an authority: A001 to A003 where few children are on the list and the same ones come back each week; and how soon A002 finds a list that is in no
order. With ``--term 13`` each 13 weeks a new version makes the list: each has seen other signs of the children's rates, and states what the rates are on
average given these signs, so that its risks are right though its order is not that of the version before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import click
import numpy as np
import polars as pl

from benchmarks.found import LIMITS, Found, states_of
from benchmarks.monitoring import MEAN_RISK, NO_ONE, PLACES, SHAPE, Drawn
from histories.calendar import HORIZON
from serving.monitoring.judge import Judgement
from serving.monitoring.outcomes import Outcomes

OUTCOME_CODES = ("A001", "A002", "A003", "A004")
BY_SIZE = ("A001", "A002", "A003")  # groups of a small authority are hidden
NEWEST = max(
    max(LIMITS[code]["days"], LIMITS[code].get("most_days", 0)) for code in OUTCOME_CODES
)  # lists; no alarm reads more
KNOWN_AFTER = 26  # weeks: the window, and the delay of the definition
CALM = 52  # weeks of lists whose alarms are looked at without a fault
BEFORE = 52  # weeks of lists before them: no alarm looks at more
START = BEFORE + CALM + KNOWN_AFTER
AFTER = 60  # weeks that a fault is followed
GROUP = "fsm"
NO_ORDER = "the list is in no order"
FAULTS = {
    "outcomes come twice as often": ("A001",),
    "outcomes come half as often": ("A001",),
    "outcomes come four times as often": ("A001", "A003"),
    NO_ORDER: ("A002",),
    "risk factors matter half as much (as in drift)": ("A002",),
    "a fifth of the children look safe": ("A004",),
}
EFFECT = 0.55  # of the scenario ``drift``
SEEN = 10 * HORIZON  # days over which a version has seen signs that come at a child's rate


@dataclass(kw_only=True)
class Authority:
    """The children of an authority, one for each place, and what comes.

    Attributes
    ----------
    rate : float array, shape (children,)
        Of going missing, each day, as the list knows it.
    hazard : float array
        As it is.
    moment : float array
        The day on which the child goes missing.
    child : int array
        Who has the place.
    grouped : bool array
        Whether it is a child of the group.
    stated : float array
        What the list makes of the rate.
    places : int
        Children a week whom the team reviews.
    """

    rate: np.ndarray
    hazard: np.ndarray
    moment: np.ndarray
    child: np.ndarray
    grouped: np.ndarray
    stated: np.ndarray
    places: int = PLACES

    @classmethod
    def drawn(cls, rng: np.random.Generator, children: int) -> Authority:
        """Draw an authority."""
        rate = np.maximum(rng.gamma(SHAPE, MEAN_RISK / SHAPE / HORIZON, children), 1e-12)
        places = np.arange(children)
        ones = np.ones(children)
        moment = rng.exponential(1 / rate)
        return cls(
            rate=rate, hazard=rate, moment=moment, child=places.copy(), grouped=rng.random(children) < 0.2, stated=ones
        )

    def copy(self) -> Authority:
        """Return a copy whose future may be another."""
        return Authority(**{name: copy(value) for name, value in vars(self).items()})

    def broken(self, title: str, day: int, rng: np.random.Generator) -> Authority:
        """Return the authority with a fault from a day on."""
        other = self.copy()
        if title == "outcomes come twice as often":
            other.hazard = 2 * self.rate
        elif title == "outcomes come four times as often":
            other.hazard = 4 * self.rate
        elif title == "outcomes come half as often":
            other.hazard = self.rate / 2
        elif title == NO_ORDER:
            other.hazard = rng.permutation(self.rate)
        elif title.startswith("risk factors"):
            other.hazard = self.rate**EFFECT * self.rate.sum() / (self.rate**EFFECT).sum()
        else:
            other.stated = np.where(self.grouped, 0.1, 1.0)
        # An exponential waiting time has no memory.
        other.moment = day + (self.moment - day) * self.hazard / other.hazard
        return other

    def train_again(self, rng: np.random.Generator) -> None:
        """Let a new version state the risks: the mean of each given the signs that it has seen (the gamma posterior of a Poisson count)."""
        shape, span = SHAPE + rng.poisson(self.rate * SEEN), SHAPE * HORIZON / MEAN_RISK + SEEN
        risk = 1 - (span / (span + HORIZON)) ** shape
        self.stated = risk / -np.expm1(-self.rate * HORIZON)

    def weeks(self, weeks: range, rng: np.random.Generator, term: int = 0) -> Iterator[pl.DataFrame]:
        """Yield the lists of some weeks, by a new version every ``term`` weeks if it is not 0."""
        for week in weeks:
            if term and week % term == 0:
                self.train_again(rng)
            version = pl.lit(str(week // term) if term else "1")
            yield self.week(week, rng).with_columns(model_version=version)

    def week(self, week: int, rng: np.random.Generator) -> pl.DataFrame:
        """Return the list of a week with its outcomes, and let the week pass."""
        day, risk = 7 * week, -np.expm1(-self.rate * HORIZON) * self.stated
        rank = np.empty(len(risk), np.int64)
        rank[np.argsort(-risk, kind="stable")] = np.arange(1, len(risk) + 1)
        columns = {
            "pupil_id": self.child.copy(),
            "risk": risk,
            "rank": rank,
            "label": (self.moment < day + HORIZON).astype(float),
            GROUP: self.grouped,
        }
        gone = np.flatnonzero(self.moment < day + 7)
        self.child[gone] = self.child.max() + 1 + np.arange(len(gone))
        self.moment[gone] = day + 7 + rng.exponential(1 / self.hazard[gone])
        frame = pl.DataFrame(columns).with_columns(as_of=pl.lit(date(2020, 1, 6) + timedelta(weeks=week)))
        return frame.with_columns(places=pl.lit(self.places), authority=pl.lit("801"), horizon=HORIZON)


def look(lists: list[pl.DataFrame], codes: tuple[str, ...], base_rate: float) -> dict[str, str]:
    """Return the states of alarms once these lists are known."""
    newest = pl.concat(lists[-NEWEST:])
    group = pl.when(GROUP).then(pl.lit("yes")).otherwise(pl.lit("no")).alias(GROUP)
    nobody = NO_ONE.unscored.with_columns(as_of=None)
    by_version = {
        str(part["model_version"][0]): part for part in newest.partition_by("model_version", maintain_order=True)
    }
    judgement = Judgement(outcomes={version: Outcomes(part, nobody) for version, part in by_version.items()})
    judgement.groups = {version: part.select("pupil_id", "as_of", group) for version, part in by_version.items()}
    manifests: Any = dict.fromkeys(by_version, SimpleNamespace(base_rate=base_rate))
    judgement.manifests = manifests
    return states_of(codes, Drawn(judgement=judgement))


def calm_looks(lists: list[pl.DataFrame], codes: tuple[str, ...], base_rate: float) -> list[dict[str, str]]:
    """Return the states of alarms at each look of the year without a fault."""
    return [look(lists[: week + 1], codes, base_rate) for week in range(BEFORE, BEFORE + CALM, 2)]


def looks_after(
    lists: list[pl.DataFrame], codes: tuple[str, ...], base_rate: float
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the weeks since a fault began and the states of alarms."""
    for weeks in range(4, AFTER + 1, 4):
        yield weeks, look(lists[: START + weeks - KNOWN_AFTER + 1], codes, base_rate)


def drawn(found: Found, worlds: int, children: int, seed: int, codes: Collection[str] = OUTCOME_CODES) -> None:
    """Draw authorities, and add what some alarms found."""
    looked_at = tuple(c for c in OUTCOME_CODES if c in codes)
    for world in range(worlds if looked_at else 0):
        rng = np.random.Generator(np.random.PCG64([seed, world]))
        authority = Authority.drawn(rng, children)
        lists = list(authority.weeks(range(START), rng))
        base_rate = float(pl.concat(lists[:BEFORE])["label"].mean())  # type: ignore[arg-type]
        found.calm(calm_looks(lists, looked_at, base_rate), CALM / 52)
        for title, named in FAULTS.items():
            asked = tuple(c for c in named if c in looked_at)
            if asked:
                for code, waited in waits(authority, lists, title, asked, base_rate, rng=rng).items():
                    found.fault(title, code, waited)


def waits(
    authority: Authority,
    lists: list[pl.DataFrame],
    title: str,
    codes: tuple[str, ...],
    base_rate: float,
    *,
    rng: np.random.Generator,
    term: int = 0,
) -> dict[str, int | None]:
    """Return after how many weeks alarms find a fault that begins after some lists; None if they do not."""
    broken = authority.broken(title, 7 * START, rng)
    longer = [*relabelled(lists, authority, broken), *broken.weeks(range(START, START + AFTER), rng, term)]
    waiting: dict[str, int | None] = dict.fromkeys(codes)
    for weeks, states in looks_after(longer, codes, base_rate):
        for code in (c for c in codes if waiting[c] is None and states[c] == "up"):
            waiting[code] = weeks
        if None not in waiting.values():
            break
    return waiting


def relabelled(lists: list[pl.DataFrame], before: Authority, after: Authority) -> list[pl.DataFrame]:
    """Return the lists before a fault with the outcomes that come after it began."""
    moments = pl.DataFrame({"pupil_id": after.child, "moment": after.moment})
    newer = []
    for week, frame in enumerate(lists):
        if 7 * week + HORIZON > 7 * START:
            end = 7 * week + HORIZON
            joined = frame.join(moments, on="pupil_id", how="left", maintain_order="left")
            # Who has left the place by then has gone missing in the window already.
            label = (
                pl.when(pl.col("moment").is_null()).then("label").otherwise((pl.col("moment") < end).cast(pl.Float64))
            )
            frame = joined.with_columns(label.alias("label")).drop("moment")
        newer.append(frame)
    return newer


def by_size(worlds: int, children: int, places: int, seed: int, term: int) -> Found:
    """Draw authorities of a size, with a year without a fault each, and then a list in no order."""
    found = Found()
    for world in range(worlds):
        rng = np.random.Generator(np.random.PCG64([seed, children, world]))
        authority = Authority.drawn(rng, children)
        authority.places = places
        lists = list(authority.weeks(range(START), rng, term))
        base_rate = float(pl.concat(lists[:BEFORE])["label"].mean())  # type: ignore[arg-type]
        found.calm(calm_looks(lists, BY_SIZE, base_rate), CALM / 52)
        found.fault(
            NO_ORDER, "A002", waits(authority, lists, NO_ORDER, ("A002",), base_rate, rng=rng, term=term)["A002"]
        )
    return found


@click.command()
@click.option("--children", default="600,1500,3000,10000", show_default=True, help="Of a drawn authority.")
@click.option("--places", default=8, show_default=True, help="Children a week whom its team reviews.")
@click.option("--worlds", default=100, show_default=True)
@click.option(
    "--term", default=0, show_default=True, help="Weeks that a version serves; 0: one version serves for ever."
)
@click.option("--seed", default=5, show_default=True)
def main(*, children: str, places: int, worlds: int, term: int, seed: int) -> None:
    """Print how often alarms are up without a fault, and when A002 finds a list in no order, by the size of an authority."""
    for number in map(int, children.split(",")):
        served = f"a new version every {term} weeks" if term else "one version"
        click.echo(f"{number:,} children, {places} places, {served}, {worlds} worlds\n")
        found = by_size(worlds, number, places, seed, term)
        click.echo(f"{found.table_of_codes()}\n\n{found.table_of_faults()}\n")


if __name__ == "__main__":
    main()
