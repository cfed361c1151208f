"""What alarms are judged by: the judged lists, the state of the records beside the same weeks a year before, and the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl

from serving.monitoring.judge import Judgement, by_group
from serving.monitoring.outcomes import Outcomes
from serving.monitoring.results import ListResult
from serving.monitoring.season import Season
from serving.store.scores.complete_lists import CompleteList, shown_lists
from training.evaluation.fairness_report import FairnessReport


@dataclass(frozen=True, kw_only=True)
class Previous:
    """The list before a list, of the same authority and version.

    Attributes
    ----------
    places : int
        The team's capacity.
    kept : float
        Share of the first children who were among the first of the list before.
    """

    of: CompleteList
    places: int
    kept: float


@dataclass(frozen=True, kw_only=True)
class Current:
    """An authority, and the version that makes its lists: what alarms about outcomes judge, so that no authority hides another."""

    authority: str
    version: str

    @property
    def name(self) -> str:
        """The authority and the version, whichever lists are meant."""
        return f"version {self.version}, authority {self.authority}"

    def place(self, days: int) -> str:
        """Return which lists are meant, for messages: those of the newest days with known outcomes."""
        return f"{self.name}, newest {days} days of lists with known outcomes"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What alarms are judged by.

    Attributes
    ----------
    judgement : Judgement
    lists : sequence of CompleteList
        Every complete list, oldest first.
    season : Season or None
        None if the histories do not reach back a year.
    first_children : mapping
        Each authority's newest list with the previous one, or None.
    audit : str or None
        Why the audit does not verify; empty if it does, None if it was not looked at.
    last_known : date or None
        The day of the newest record of schooling.
    today : date or None
        The day of the look, or the day that was named instead.
    """

    judgement: Judgement
    lists: Sequence[CompleteList] = ()
    season: Season | None = None
    first_children: Mapping[CompleteList, Previous | None] = field(default_factory=dict)
    audit: str | None = None
    last_known: date | None = None
    today: date | None = None

    def a_year_before(self) -> Evidence | None:
        """Return what the records alone say of the same weeks a year before; None if the season was not looked at."""
        last = self.season.last_year if self.season else None
        return Evidence(judgement=self.judgement, season=last) if last else None

    def current(self) -> list[Current]:
        """Return of each authority the version of the newest list it was shown whose outcomes are known; others are superseded."""
        newest = _newest(self.judgement.shown_and_matured)
        return [Current(authority=x.authority, version=x.model_version) for x in newest]

    def outcomes(self, of: Current) -> Outcomes:
        """Return the outcomes of the matured lists of a version that an authority was shown."""
        lists = [x for x in self.judgement.lists_of(of.version) if x.authority == of.authority]
        return self.judgement.outcomes_of(lists)

    def recent(self, of: Current, days: int) -> Outcomes:
        """Return the outcomes of the newest matured days of ``outcomes``."""
        whole = self.outcomes(of)
        newest = whole.scored["as_of"].unique().sort(descending=True).head(days)
        among = pl.col("as_of").is_in(newest.implode())
        return Outcomes(whole.scored.filter(among), whole.unscored.filter(among))

    def until_enough(
        self, of: Current, limits: Mapping[str, Any], expected: Callable[[pl.DataFrame], float]
    ) -> tuple[Outcomes, float, int]:
        """Return the outcomes of the newest matured days, how many children were expected to go missing on them, and how many days it is.

        While fewer than the limit are expected, more days are looked at, up to ``most_days``: a small team sees the same few children week by
        week, so that only a longer time tells of more.

        Parameters
        ----------
        expected : callable
            Returns how many different children were expected to go missing, of the scores whose outcome is known.
        """
        days, most = limits["days"], min(limits["most_days"], self.outcomes(of).scored["as_of"].n_unique())
        while True:
            recent = self.recent(of, days)
            number = expected(recent.scored.filter(pl.col("label").is_not_null()))
            if number >= limits["expected"] or days >= most:
                return recent, number, days
            days = min(2 * days, most)

    def by_group(self, of: Current, days: int) -> FairnessReport | None:
        """Return the figures by group of the newest matured days of ``outcomes``; None if no outcome is known."""
        known = self.recent(of, days).scored.filter(pl.col("label").is_not_null())
        groups = self.judgement.groups.get(of.version)
        if groups is None or known.is_empty():
            return None
        return by_group(known, groups, int(known["places"].min()))  # type: ignore[arg-type]

    def newest_results(self) -> list[ListResult]:
        """Return the newest list that each authority was shown whose outcomes are known, with what came."""
        newest = set(_newest(self.judgement.shown_and_matured))
        return [r for r in self.judgement.lists if r.of in newest]

    def newest_lists(self) -> list[CompleteList]:
        """Return the newest list that each authority was shown."""
        return _newest(shown_lists(self.lists))

    def lists_of(self, authority: str) -> list[CompleteList]:
        """Return the lists that an authority was shown, oldest first."""
        return [x for x in shown_lists(self.lists) if x.authority == authority]

    def lists_until(self, authority: str, day: date, days: int) -> list[CompleteList]:
        """Return the lists that an authority was shown as of a day or in the ``days`` before it, oldest first."""
        return [x for x in self.lists_of(authority) if day - timedelta(days=days) <= x.as_of <= day]

    def newest_with(self, table: str, authority: str, day: date, days: int) -> date | None:
        """Return the day of the newest of ``lists_until`` that was made with a table; None if none was: a table given up for good is missed so long."""
        lists = self.lists_until(authority, day, days)
        return max((x.as_of for x in lists if table not in x.missing_tables), default=None)


def _newest(lists: Iterable[CompleteList]) -> list[CompleteList]:
    """Return the newest of lists of each authority."""
    return list({x.authority: x for x in sorted(lists, key=lambda x: x.age)}.values())
