"""The results of monitoring: each list, each model version and each term, with what was promised beside what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import polars as pl

from histories.calendar import term_dates
from serving.monitoring.outcomes import KNOWN, UNKNOWN, Outcomes
from serving.monitoring.promises import OF_MANY, OF_ONE, AtCapacity, Comparison, at_capacity, compare
from serving.store.scores.complete_lists import CompleteList
from training.evaluation.fairness_report import FairnessReport

NO_LIST = "not_recorded"  # scores of earlier versions do not name their list


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """Expected beside observed: of all children, by band, by list, and of the first children.

    Attributes
    ----------
    whole : Comparison
    bands, lists : dict
        The same by band of risk, highest risk first, and by ``act_today`` and ``help_early``; they add up to the whole.
    first : AtCapacity
    """

    whole: Comparison
    bands: dict[str, Comparison]
    lists: dict[str, Comparison]
    first: AtCapacity

    @classmethod
    def of(cls, outcomes: Outcomes) -> Breakdown:
        """Compute the figures of joined scores, whose frame has ``places``, the capacity of each child's authority, and ``horizon``."""
        scored = outcomes.scored
        return cls(
            whole=compare(scored),
            bands=_by(scored, pl.col("band")),
            lists=_by(scored, pl.col("list").fill_null(NO_LIST)),
            first=at_capacity(scored, outcomes.unscored, scored["places"].max() or 0),  # type: ignore[arg-type]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            **self.whole.to_dict(),
            "bands": {name: c.to_dict() for name, c in self.bands.items()},
            "lists": {name: c.to_dict() for name, c in self.lists.items()},
            "at_capacity": self.first.to_dict(),
        }


@dataclass(frozen=True, kw_only=True)
class ListResult:
    """One list and what came.

    Attributes
    ----------
    of : CompleteList
    known_from : date or None
        The first last-known day of histories with which all outcomes are known; None if the definition cannot be read.
    fates : dict
        Children by what is known of them: by outcome, or by the reason why there is none. Empty while the window is open.
    unscored : int
        Children of the authority's cohort without a score.
    figures : Breakdown or None
        None while the window is open.
    overdue : bool
        Whether no outcome is known although the histories have reached ``known_from``: the record of who left, or of cases, ends before, or never came.
    """

    of: CompleteList
    known_from: date | None
    fates: dict[str, int]
    unscored: int = 0
    figures: Breakdown | None = None
    overdue: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            **asdict(self.of),
            "outcomes_known_from": self.known_from,
            "outcomes_known": self.figures is not None,
            "outcomes_overdue": self.overdue,
            "children_by_fate": self.fates,
            "unscored": self.unscored,
            "promised_and_came": self.figures.to_dict() if self.figures else None,
        }


@dataclass(frozen=True, kw_only=True)
class TermResult:
    """All matured lists of a term, beside those of the same term a year before."""

    term: str
    lists: int
    whole: Comparison
    year_before: Comparison | None
    before: str = ""  # the name of the same term a year before

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        before = self.year_before.to_dict() if self.year_before else None
        return {"term": self.term, "lists": self.lists, **self.whole.to_dict(), "same_term_last_year": before}


@dataclass(frozen=True, kw_only=True)
class VersionResult:
    """The matured lists of a model version that teams were shown; of one of which they were shown none, all.

    Attributes
    ----------
    lists : int
    shown : bool
        Whether teams were shown them; else they are for monitoring only, or others took their place.
    first_day, last_day : date
    fates : dict
        Children by what is known of them, once for each list.
    unscored : int
        Children of the cohorts without a score.
    figures : Breakdown
    places : dict
        The same comparison by ``authority`` and by ``school`` (URN), each by name; exact, as all figures here.
    tested : dict or None
        Precision and recall at about the team's capacity when the version was tested, with the interval of the precision; None if its folder
        is gone or states none.
    groups : FairnessReport or None
        Calibration, recall and the other figures by group, small numbers hidden; None if no child's outcome is known.
    groups_left_out : list of str
        Groups whose table is absent.
    """

    model_version: str
    definition: str
    horizon_days: int
    lists: int
    shown: bool
    first_day: date
    last_day: date
    fates: dict[str, int]
    unscored: int
    figures: Breakdown
    places: Mapping[str, Mapping[str, Comparison]]
    tested: Mapping[str, Any] | None
    groups: FairnessReport | None
    groups_left_out: Sequence[str]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        others = ("fates", "figures", "places", "groups")
        plain = {name: value for name, value in vars(self).items() if name not in others}
        places = {kind: {name: c.to_dict() for name, c in named.items()} for kind, named in self.places.items()}
        return {
            **plain,
            "children_by_fate": self.fates,
            **self.figures.to_dict(),
            "places": places,
            "groups": self.groups.to_dict() if self.groups else None,
        }


def by_place(scored: pl.DataFrame) -> dict[str, dict[str, Comparison]]:
    """Compare by authority and by school; each adds up to the whole. Of so many, few may lie outside their usual range by chance."""
    columns = {"authority": "authority", "school": "urn"}
    return {kind: _by(scored, pl.col(column).fill_null("unknown"), OF_MANY) for kind, column in columns.items()}


def fates_of(scored: pl.DataFrame) -> dict[str, int]:
    """Count children by outcome or by the reason why there is none."""
    counted = dict(scored.group_by("fate").len().iter_rows())
    return {fate: int(counted.get(fate, 0)) for fate in (*KNOWN, *UNKNOWN)}


def term_of(day: date) -> tuple[int, str]:
    """Return the school year and the term that a day counts to: the last that has begun, or the autumn before it begins.

    Examples
    --------
    >>> term_of(date(2025, 1, 13)), term_of(date(2024, 9, 1)), term_of(date(2025, 8, 1))
    ((2024, 'spring'), (2024, 'autumn'), (2024, 'summer'))
    """
    year = day.year - (day.month < 9)
    begun = [t.name for t in term_dates(year) if t.start <= day]
    return year, begun[-1] if begun else "autumn"


def term_name(day: date) -> str:
    """Return the school year and term that a day counts to, as one name.

    Examples
    --------
    >>> term_name(date(2025, 1, 13))
    '2024/25 spring'
    """
    return _name(*term_of(day))


def _name(year: int, name: str) -> str:
    return f"{year}/{(year + 1) % 100:02} {name}"


def by_term(scored: pl.DataFrame) -> list[TermResult]:
    """Compare each term's lists, oldest first."""
    parts: dict[tuple[int, str], list[pl.DataFrame]] = {}
    for (day,), part in sorted(scored.group_by("as_of"), key=_first_key):
        parts.setdefault(term_of(day), []).append(part)  # type: ignore[arg-type]
    compared = {term: compare(pl.concat(lists)) for term, lists in parts.items()}
    return [
        TermResult(
            term=_name(year, name),
            lists=sum(part.select("authority", "model_version").n_unique() for part in lists),
            whole=compared[year, name],
            year_before=compared.get((year - 1, name)),
            before=_name(year - 1, name),
        )
        for (year, name), lists in parts.items()
    ]


def _first_key(item: tuple[tuple[Any, ...], pl.DataFrame]) -> Any:
    return item[0][0]


def _by(scored: pl.DataFrame, column: pl.Expr, outside: float = OF_ONE) -> dict[str, Comparison]:
    """Compare by a column's values, the highest mean risk first."""
    parts = {str(name): part for (name,), part in scored.group_by(column.alias("of"))}
    mean = {name: float(part["risk"].mean()) for name, part in parts.items()}  # type: ignore[arg-type]
    return {name: compare(parts[name], outside) for name in sorted(parts, key=lambda name: (-mean[name], name))}
