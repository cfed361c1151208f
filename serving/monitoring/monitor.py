"""Monitoring as a whole: read the stored lists, judge them by histories, measure the records, and check the alarms."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from features.catalogue import catalogue
from features.counting.block_cache import BlockStore
from histories.calendar import london_today
from histories.errors import Faults
from histories.reading.histories import Histories
from serving.monitoring.acknowledgements import SEEN, seen, with_acknowledgements
from serving.monitoring.alarms import AlarmResult, Limits, check_all, load_limits
from serving.monitoring.evidence import Evidence, Previous
from serving.monitoring.judge import Judgement, ScoresOf, Terms, judge
from serving.monitoring.season import Season, season_of
from serving.monitoring.simple_way import WHY, SimpleWays, simple_ways
from serving.store import Store
from serving.store.audit import audit_log
from serving.store.caller import Caller
from serving.store.database import reading
from serving.store.scores.complete_lists import CompleteList, complete_lists, scores_of, shown_lists
from serving.store.scores.shown_tops import shown_first
from serving.store.unit_of_work import View
from training.bundle import Manifest, read_bundle
from training.release.resolve import aliases
from training.task import ProgressCallback, quiet

NOTES = (
    "Help that was given changes what comes: a child who was helped and stayed counts against the list. Nothing here is the effect of a list or of help; "
    "only a trial can show that.",
    "An outcome that is not known yet is no outcome: open lists take no part, and children without a known outcome are counted by reason.",
    "Lists share their children, so that several lists say less than their number; intervals are widened for it.",
    "Figures of lists, bands and versions are exact, for those who may see the histories; figures by group have small numbers hidden.",
)


@dataclass(frozen=True, kw_only=True)
class MonitorReport:
    """The result of monitoring.

    Attributes
    ----------
    day : date
        The day as of which the records were looked at.
    judgement : Judgement
    season : Season
    default_look : bool
        Whether the day and the limits are the defaults: only such a look tells the metrics which alarms are up.
    alarms : list of AlarmResult
        Every alarm: up, quiet or not judged.
    simple : SimpleWays
        The champion's lists beside each simple way, or those of the newest version if the champion has none whose outcomes are known.
    """

    day: date
    judgement: Judgement
    season: Season
    default_look: bool
    alarms: list[AlarmResult]
    simple: SimpleWays = field(default_factory=SimpleWays)

    @property
    def up(self) -> list[AlarmResult]:
        """The alarms that are up."""
        return [a for a in self.alarms if a.state == "up"]

    def record(self, view: View) -> None:
        """Record in the audit which alarms are up and which quiet, and by which look."""
        view.record(SEEN, **seen(self.alarms), day=str(self.day), default_look=self.default_look)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data, without any child."""
        return {
            "day": self.day,
            "alarms_up": len(self.up),
            "alarms": [a.to_dict() for a in self.alarms],
            "versions": [v.to_dict() for v in self.judgement.versions],
            "terms": [t.to_dict() for t in self.judgement.terms],
            "lists": [r.to_dict() for r in self.judgement.lists],
            "simple_ways": [s.to_dict() for s in self.simple.compared],
            "simple_ways_left_out": {way: WHY[why] for way, why in self.simple.left_out.items()},
            "notes": list(NOTES),
        }


def monitor(
    histories: Histories,
    store: Store,
    caller: Caller,
    terms: Terms,
    *,
    releases: Path,
    limits: dict[str, Limits],
    day: date | None = None,
    kept: BlockStore | None = None,
    advance: ProgressCallback = quiet,
) -> MonitorReport:
    """Judge the caller's stored lists by histories, and check every alarm.

    Parameters
    ----------
    histories : Histories
    store : Store
    caller : Caller
    terms : Terms
        By what lists are judged.
    releases : Path
        Where the versions' folders are.
    limits : dict
        Of the alarms.
    day : date, optional
        The day as of which the records are looked at, which then counts as today; by default the day after the last known one.
    kept : BlockStore, optional
        Keeps counts for the next run.
    """
    with reading(store.engine) as connection:
        check = audit_log.verify(connection, store.chain, store.anchors)
    default_look = day is None and limits == load_limits()
    today, last_known = day or london_today(), histories.last_known()
    day = day or last_known + timedelta(days=1)
    with store.view(caller) as view:
        lists = complete_lists(view)
        view.record("monitor.seen", lists=len(lists), scores=sum(x.children for x in lists))
        read = partial(_read, view, terms, set(shown_lists(lists)))
        manifests = _manifests(releases, lists)
        judgement = judge(histories, lists, read, terms, manifests, advance=advance)
        first = _first_children(lists, read, terms)
    newest = {x.model_version for x in first}
    features = {name for version in newest & manifests.keys() for name in manifests[version].features}
    season = season_of(histories, day, features or catalogue().names, terms.rule, kept=kept, advance=advance)
    simple = SimpleWays()
    if judgement.versions:
        version = _compared_version(releases, judgement)
        scored = {v: o.scored for v, o in judgement.outcomes.items()}
        scored[version] = judgement.outcomes_of(judgement.lists_of(version)).scored
        advance(description="beside simple ways")
        simple = simple_ways(histories, version, scored, manifests.get(version), terms.rule, kept=kept)
    evidence = Evidence(
        judgement=judgement,
        lists=lists,
        season=season,
        first_children=first,
        audit="" if check.whole else check.why or "an entry does not verify",
        last_known=last_known,
        today=today,
    )
    with store.view(caller) as view:
        report = MonitorReport(
            day=day,
            judgement=judgement,
            season=season,
            default_look=default_look,
            alarms=with_acknowledgements(view, check_all(evidence, limits)),
            simple=simple,
        )
        report.record(view)
    return report


def _read(view: View, terms: Terms, shown: Collection[CompleteList], lists: Sequence[CompleteList]) -> pl.DataFrame:
    """Return the scores of lists, with ``top``: whom teams were shown first; null where nobody was, or another capacity is asked about."""
    tops = {
        (x.authority, x.as_of, x.model_version): shown_first(view, x, terms.places(x), terms.schools)
        for x in lists
        if x in shown and not terms.asked
    }
    scores = scores_of(view, lists)
    key = ["authority", "as_of", "model_version"]
    parts = [
        part.with_columns(
            top=pl.col("pupil_id").is_in(list(tops[of]) or [""]) if of in tops else pl.lit(None, pl.Boolean)
        )
        for of, part in scores.group_by(key, maintain_order=True)
    ]
    return pl.concat(parts) if parts else scores


def _compared_version(releases: Path, judgement: Judgement) -> str:
    """Return the champion, if outcomes of its lists are known, or else the version of the newest such lists."""
    models = {r.of.model for r in judgement.lists}
    champions = {str(aliases(releases, model).get("champion")) for model in models}
    matured = [v.model_version for v in judgement.versions]
    return next((v for v in reversed(matured) if v in champions), matured[-1])


def _manifests(releases: Path, lists: Sequence[CompleteList]) -> dict[str, Manifest]:
    """Return the manifests of the lists' versions, without those whose folder is gone or was changed."""
    manifests = {}
    for model, version in dict.fromkeys((x.model, x.model_version) for x in lists):
        try:
            _, manifests[version] = read_bundle(releases / model / f"v{version}")
        except Faults:
            continue
    return manifests


def _first_children(
    lists: Sequence[CompleteList], read: ScoresOf, terms: Terms
) -> Mapping[CompleteList, Previous | None]:
    """Return the newest list that each authority was shown, with the one before of the same version."""
    pairs: dict[CompleteList, Previous | None] = {}
    for newest in {x.authority: x for x in shown_lists(lists)}.values():
        same = (newest.authority, newest.model_version)
        earlier = [x for x in lists if (x.authority, x.model_version) == same and x.as_of < newest.as_of]
        pairs[newest] = None
        if earlier:
            places = min(terms.places(newest), terms.places(earlier[-1]))
            scores = read([newest, earlier[-1]]).filter(pl.col("rank") <= places)
            now, before = (set(scores.filter(pl.col("as_of") == x.as_of)["pupil_id"]) for x in (newest, earlier[-1]))
            pairs[newest] = Previous(of=earlier[-1], places=places, kept=len(now & before) / max(len(now), 1))
    return pairs
