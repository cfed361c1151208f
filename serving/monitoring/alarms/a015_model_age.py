"""A model that has not seen the newest known outcomes describes an earlier time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, Unjudged
from serving.monitoring.evidence import Evidence


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised | Unjudged]:
    """Compare the newest fully labelled training day of the versions of the newest lists with the newest day whose outcomes are known."""
    is_judged = False
    for newest in {x.model_version: x for x in evidence.newest_lists()}.values():
        manifest = evidence.judgement.manifests.get(newest.model_version)
        known = evidence.judgement.newest_known.get((newest.definition, newest.horizon_days))
        place = f"version {newest.model_version}"
        if manifest is None or known is None or not manifest.trained_on:
            yield Unjudged("the model's folder is gone, or its definition of missing is not at hand", place)
            continue
        is_judged = True
        # Days known only in part are newer; earlier versions do not name the newest whole one.
        trained = date.fromisoformat(manifest.newest_labelled or max(manifest.trained_on))
        if (known - trained).days > limits["days"]:
            yield Raised(
                f"its newest training day is {trained}; outcomes are known up to {known}",
                place,
                {"days": (known - trained).days},
            )
    if not is_judged:
        raise NotJudged("there is no list, or the model's folder is gone")


ALARM = Alarm(
    code="A015",
    title="the model is older than its data",
    reason=__doc__ or "",
    do="Train again (onroll train); the gates say whether the new version is better.",
    since=date(2026, 11, 29),
    check=check,
)
