"""What alarms are judged by: the judged lists, the state of the records beside the same weeks a year before, and the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl

from histories.io.quantities import quantity
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


@dataclass(frozen=True, kw_only=True)
class Recent:
    """The newest lists with known outcomes that an authority was shown, as many as an alarm needs.

    Attributes
    ----------
    outcomes : Outcomes
    expected : float
        How many different children were expected to go missing on them.
    where : str
        Which lists they are, for messages.
    place : str
        Whose they are, whichever lists are meant.
    """

    outcomes: Outcomes
    expected: float
    where: str
    place: str

    @classmethod
    def of(cls, current: Current, outcomes: Outcomes, expected: float) -> Recent:
        """Name the lists of some outcomes: one version's, or those of several of which each made some."""
        days = quantity(outcomes.scored["as_of"].n_unique(), "day")
        versions = (
            set(outcomes.scored["model_version"].unique()) if "model_version" in outcomes.scored.columns else set()
        )
        place, name = current.name, current.name
        if len(versions) > 1:
            place = f"several versions, authority {current.authority}"
            name = f"versions {', '.join(sorted(versions))}, authority {current.authority}"
        return cls(
            outcomes=outcomes,
            expected=expected,
            where=f"{name}, newest {days} of lists with known outcomes",
            place=place,
        )


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

    def outcomes_of_versions(self, of: Current) -> Outcomes:
        """Return the same of every version that foretold the same thing: of whichever list a promise is, what came can be held beside it."""
        shown = [x for x in self.judgement.shown_and_matured if x.authority == of.authority]
        tasks = {(x.definition, x.horizon_days) for x in shown if x.model_version == of.version}
        return self.judgement.outcomes_of(x for x in shown if (x.definition, x.horizon_days) in tasks)

    def recent(self, of: Current, days: int) -> Outcomes:
        """Return the outcomes of the newest matured days of ``outcomes``."""
        return _newest_days(self.outcomes(of), days)

    def until_enough(self, of: Current, limits: Mapping[str, Any], expected: Callable[[pl.DataFrame], float]) -> Recent:
        """Return the newest lists on which enough different children were expected to go missing, or else as many as may be looked at.

        While fewer than the limit are expected, more days are looked at, up to ``most_days``: a small team sees the same few children week by
        week, so that only a longer time tells of more. Where all lists of the version are too few, those of earlier versions are looked at too.

        Parameters
        ----------
        expected : callable
            Returns how many different children were expected to go missing, of the scores whose outcome is known.
        """
        days = limits["days"]
        for whole in (self.outcomes(of), self.outcomes_of_versions(of)):
            most = min(limits["most_days"], whole.scored["as_of"].n_unique())
            while True:
                recent = _newest_days(whole, days)
                number = expected(recent.scored.filter(pl.col("label").is_not_null()))
                if number >= limits["expected"] or days >= most:
                    break
                days = min(2 * days, most)
            if number >= limits["expected"]:
                break
        return Recent.of(of, recent, number)

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


def _newest_days(whole: Outcomes, days: int) -> Outcomes:
    """Return the outcomes of the newest days."""
    newest = whole.scored["as_of"].unique().sort(descending=True).head(days)
    among = pl.col("as_of").is_in(newest.implode())
    return Outcomes(whole.scored.filter(among), whole.unscored.filter(among))


def _newest(lists: Iterable[CompleteList]) -> list[CompleteList]:
    """Return the newest of lists of each authority."""
    return list({x.authority: x for x in sorted(lists, key=lambda x: x.age)}.values())
