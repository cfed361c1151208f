"""Judge stored lists by histories: each list whose window is known, each model version, each term."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import polars as pl

from features.groups.grouping import grouped
from features.groups.groups import PROTECTED
from features.outcome.cohort import CohortRule
from features.outcome.definition import Definition
from features.outcome.known_until import newest_known
from histories.errors import Faults
from histories.io.quantities import quantity
from histories.reading.histories import Histories
from serving.monitoring.outcomes import Outcomes, outcomes_of
from serving.monitoring.overdue import overdue_warnings
from serving.monitoring.results import Breakdown, ListResult, TermResult, VersionResult, by_place, by_term, fates_of
from serving.store.scores.complete_lists import CompleteList, shown_lists
from serving.store.scores.stored_scores import SHOWN
from training.bundle import Manifest
from training.evaluation.fairness import fairness
from training.evaluation.fairness_report import FairnessReport
from training.task import ProgressCallback, quiet

DAYS_AT_ONCE = 8  # days of lists in memory while their outcomes are looked up
JUDGED_BY = (*PROTECTED, "year_group", "phase")
PLACE = {"authority": pl.String, "as_of": pl.Date, "model_version": pl.String}
JUDGED_WITH = {**PLACE, "places": pl.Int64, "horizon": pl.Int64}
ScoresOf = Callable[[Sequence[CompleteList]], pl.DataFrame]


@dataclass(kw_only=True)
class Judgement:
    """Stored lists, judged.

    Attributes
    ----------
    lists : list of ListResult
        Every complete list, oldest first.
    versions : list of VersionResult
        Every version with a matured list, in the order of their newest one; first those of which teams were shown none.
    terms : list of TermResult
    outcomes : dict
        The joined scores of each version's matured lists, a challenger's and replaced ones too; rows of children, never part of a report.
    groups : dict
        The groups of the children of each version's matured lists, by child and day; rows of children too.
    manifests : dict
        What each version promised; without the versions whose folder is gone or was changed.
    newest_known : dict
        The newest as-of date with known outcomes by definition and horizon.
    warnings : list of str
        Lists that cannot be judged, and why.
    """

    lists: list[ListResult] = field(default_factory=list)
    versions: list[VersionResult] = field(default_factory=list)
    terms: list[TermResult] = field(default_factory=list)
    outcomes: dict[str, Outcomes] = field(default_factory=dict)
    groups: dict[str, pl.DataFrame] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    newest_known: dict[tuple[str, int], date] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def shown(self) -> list[CompleteList]:
        """The lists that teams were shown, one for each authority and day: what was promised to somebody."""
        return shown_lists(r.of for r in self.lists)

    @property
    def shown_and_matured(self) -> list[CompleteList]:
        """Those of ``shown`` whose outcomes are known."""
        matured = {r.of for r in self.lists if r.figures}
        return [x for x in self.shown if x in matured]

    def scored_on_shown_lists(self) -> pl.DataFrame:
        """Return the joined scores of the matured lists that teams were shown; rows of children, never part of a report."""
        return together(_only(o, self.shown) for o in self.outcomes.values()).scored

    def lists_of(self, version: str) -> list[CompleteList]:
        """Return the matured lists of a version that teams were shown; all of them if they were shown none."""
        shown = [x for x in self.shown_and_matured if x.model_version == version]
        return shown or [r.of for r in self.lists if r.figures and r.of.model_version == version]

    def outcomes_of(self, lists: Iterable[CompleteList]) -> Outcomes:
        """Return the outcomes of some matured lists, at least one; rows of children, never part of a report."""
        lists = list(lists)
        return together(
            _only(self.outcomes[version], lists) for version in dict.fromkeys(x.model_version for x in lists)
        )


@dataclass(frozen=True, kw_only=True)
class Terms:
    """By what lists are judged.

    Attributes
    ----------
    definitions : mapping
        Definitions by name, beside those shipped with onroll.
    capacities : mapping
        Children a week by authority as of today, for lists that do not hold the capacity that they were made with.
    capacity : int
        Of every other authority.
    asked : int or None
        The capacity to judge every list by, whatever it holds.
    rule : CohortRule or None
        The cohort's rule that the lists were scored with.
    schools : mapping
        The schools (URN) of each team, as they are today: a team of some schools was shown the first of these.
    """

    definitions: Mapping[str, Definition] = field(default_factory=dict)
    capacities: Mapping[str, int] = field(default_factory=dict)
    capacity: int
    asked: int | None = None
    rule: CohortRule | None = None
    schools: Mapping[str, Collection[str]] = field(default_factory=dict)

    def places(self, x: CompleteList) -> int:
        """Return the capacity that a list is judged by: the one that it was made with."""
        return self.asked or x.capacity or self.capacities.get(x.authority, self.capacity)

    def unknown_capacities(self, lists: Iterable[CompleteList]) -> int:
        """Return how many lists do not hold the capacity that they were made with, so that today's stands for it."""
        return 0 if self.asked else sum(x.capacity is None for x in lists)


def judge(
    histories: Histories,
    lists: Sequence[CompleteList],
    scores_of: ScoresOf,
    terms: Terms,
    manifests: Mapping[str, Manifest] | None = None,
    *,
    advance: ProgressCallback = quiet,
) -> Judgement:
    """Judge lists.

    Parameters
    ----------
    histories : Histories
    lists : sequence of CompleteList
    scores_of : callable
        Returns the scores of some lists; see ``serving.store.scores.complete_lists``. With a column ``top``, null for all of a list or true for the
        children whom teams were shown first, these are the first in place of those of the highest risks.
    terms : Terms
    manifests : mapping, optional
        Of the versions.
    """
    judgement = Judgement(manifests=dict(manifests or {}))
    joined: dict[CompleteList, Outcomes] = {}
    known_from: dict[CompleteList, date] = {}
    overdue: set[CompleteList] = set()
    end = histories.last_known()
    for (name, horizon), of_task in _by_task(lists).items():
        try:
            definition = terms.definitions.get(name) or Definition.load(name)
        except Faults:
            judgement.warnings.append(
                f"not judged ({quantity(len(of_task), 'list')}): the definition of missing is not at hand; name its file with --definition"
            )
            continue
        newest = newest_known(histories, definition, horizon)
        judgement.newest_known[name, horizon] = newest.whole
        delay = timedelta(days=horizon + definition.known_after_days)
        known_from |= {x: x.as_of + delay for x in of_task}
        matured = [x for x in of_task if x.as_of <= newest.of(x.authority)]
        late = [x for x in of_task if x not in matured and known_from[x] <= end]
        judgement.warnings += overdue_warnings(histories, definition, late)
        overdue.update(late)
        days = sorted({x.as_of for x in matured})
        for start in range(0, len(days), DAYS_AT_ONCE):
            batch = days[start : start + DAYS_AT_ONCE]
            advance(description=f"outcomes of lists of {batch[0]} to {batch[-1]}")
            due = [x for x in matured if x.as_of in batch]
            rows = [(*_place(x), terms.places(x), horizon) for x in due]
            places = pl.DataFrame(rows, schema=JUDGED_WITH, orient="row")
            scores = _shown_first(scores_of(due).join(places, on=list(PLACE), how="left", maintain_order="left"))
            joined |= _of_each(due, outcomes_of(histories, scores, definition, horizon, terms.rule))
    judgement.lists = [_list_result(x, joined.get(x), known_from.get(x), overdue=x in overdue) for x in lists]
    for version in _by_newest_list(joined):
        judgement.outcomes[version] = together(o for x, o in joined.items() if x.model_version == version)
        advance(description=f"groups of version {version}")
        judgement.versions.append(_version_result(histories, judgement.lists_of(version), judgement, terms))
    if judgement.outcomes:
        judgement.terms = by_term(judgement.scored_on_shown_lists())
    if again := sum(x.replaced > 0 for x in joined):
        judgement.warnings.append(
            f"stored again with other scores within a week ({quantity(again, 'list')}): they are judged by the later ones"
        )
    if unplaced := sum(bool({team for team, _ in x.teams if team} - terms.schools.keys()) for x in joined):
        judgement.warnings.append(
            f"judged by other first children than teams were shown ({quantity(unplaced, 'list')}): the schools of a team are not in the access file any more"
        )
    if unknown := terms.unknown_capacities(joined):
        judgement.warnings.append(
            f"judged by today's capacity ({quantity(unknown, 'list')}): an earlier version of onroll stored them without the one they were made with"
        )
    return judgement


def _shown_first(scores: pl.DataFrame) -> pl.DataFrame:
    """Return scores in the order in which teams were shown them, with as many ``places`` as there were."""
    if "top" not in scores.columns:
        return scores
    top, of = pl.col("top").fill_null(False), list(PLACE)
    order = (pl.col("rank") + pl.when(top).then(0).otherwise(pl.col("rank").max())).rank("ordinal").cast(pl.Int64)
    known = pl.col("top").is_not_null().any().over(of)
    return scores.with_columns(
        rank=pl.when(known).then(order.over(of)).otherwise("rank"),
        places=pl.when(known).then(top.sum().cast(pl.Int64).over(of)).otherwise("places"),
    ).drop("top")


def _by_newest_list(lists: Iterable[CompleteList]) -> list[str]:
    """Return the versions in the order of their newest lists; first those of which teams were shown none."""
    newest: dict[str, CompleteList] = {}
    for x in sorted(lists, key=lambda x: (x.purpose == SHOWN, x.age)):
        newest.pop(x.model_version, None)
        newest[x.model_version] = x
    return list(newest)


def _place(x: CompleteList) -> tuple[str, date, str]:
    return x.authority, x.as_of, x.model_version


def together(parts: Iterable[Outcomes]) -> Outcomes:
    """Return the outcomes of several lists as one."""
    parts = list(parts)
    return Outcomes(pl.concat([p.scored for p in parts]), pl.concat([p.unscored for p in parts]))


def _only(outcomes: Outcomes, lists: Iterable[CompleteList]) -> Outcomes:
    """Return the part of outcomes that is of some lists."""
    places = pl.DataFrame([_place(x) for x in lists], schema=PLACE, orient="row")
    scored, unscored = (
        frame.join(places, on=list(PLACE), how="semi", maintain_order="left")
        for frame in (outcomes.scored, outcomes.unscored)
    )
    return Outcomes(scored, unscored)


def _by_task(lists: Sequence[CompleteList]) -> dict[tuple[str, int], list[CompleteList]]:
    tasks: dict[tuple[str, int], list[CompleteList]] = {}
    for x in lists:
        tasks.setdefault((x.definition, x.horizon_days), []).append(x)
    return tasks


def _of_each(lists: Sequence[CompleteList], outcomes: Outcomes) -> Iterator[tuple[CompleteList, Outcomes]]:
    """Yield the part of each list."""
    for x in lists:
        here = (pl.col("as_of") == x.as_of) & (pl.col("authority") == x.authority)
        here &= pl.col("model_version") == x.model_version
        yield x, Outcomes(outcomes.scored.filter(here), outcomes.unscored.filter(here))


def _list_result(x: CompleteList, outcomes: Outcomes | None, known_from: date | None, *, overdue: bool) -> ListResult:
    if outcomes is None:
        return ListResult(of=x, known_from=known_from, fates={}, overdue=overdue)
    return ListResult(
        of=x,
        known_from=known_from,
        fates=fates_of(outcomes.scored),
        unscored=len(outcomes.unscored),
        figures=Breakdown.of(outcomes),
    )


def _version_result(
    histories: Histories, lists: Sequence[CompleteList], judgement: Judgement, terms: Terms
) -> VersionResult:
    newest = max(lists, key=lambda x: x.age)
    outcomes = judgement.outcomes_of(lists)
    known = outcomes.scored.filter(pl.col("label").is_not_null())
    capacity = min(terms.places(x) for x in lists)
    groups = _groups(histories, known, terms.rule) if len(known) else None
    if groups is not None:
        judgement.groups[newest.model_version] = groups
    return VersionResult(
        model_version=newest.model_version,
        definition=newest.definition,
        horizon_days=newest.horizon_days,
        lists=len(lists),
        shown=newest in judgement.shown,
        first_day=min(x.as_of for x in lists),
        last_day=newest.as_of,
        fates=fates_of(outcomes.scored),
        unscored=len(outcomes.unscored),
        figures=Breakdown.of(outcomes),
        places=by_place(outcomes.scored),
        tested=_tested(judgement.manifests.get(newest.model_version), newest.as_of, capacity),
        groups=None if groups is None else by_group(known, groups, capacity),
        groups_left_out=[] if groups is None else [name for name in JUDGED_BY if name not in groups.columns],
    )


def by_group(known: pl.DataFrame, groups: pl.DataFrame, capacity: int) -> FairnessReport:
    """Return the figures by group of children of lists whose outcome is known."""
    snapshots = known.select("pupil_id", "as_of", "authority")
    risk, label = known["risk"].to_numpy(), known["label"].to_numpy()
    return fairness(snapshots, risk, label, groups, capacity, pairs=False)


def _groups(histories: Histories, known: pl.DataFrame, rule: CohortRule | None) -> pl.DataFrame:
    """Return the groups of children as known on the days of their lists."""
    days = sorted(known["as_of"].unique().to_list())
    parts = [
        pl.DataFrame(grouped(histories, days[start : start + DAYS_AT_ONCE], rule, JUDGED_BY))
        for start in range(0, len(days), DAYS_AT_ONCE)
    ]
    return pl.concat(parts)


def _tested(manifest: Manifest | None, day: date, capacity: int) -> dict[str, Any] | None:
    from serving.pages.promise import of_manifest

    promise = of_manifest(manifest, day, capacity) if manifest else None
    if promise is None:
        return None
    return {
        "listed": promise.listed,
        "precision": promise.precision,
        "precision_limits": promise.limits,
        "recall": promise.recall,
    }
