"""A model is calibrated to the rate at which children went missing when it was trained. If that rate changes, all its risks are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from serving.monitoring.alarms.alarm import Alarm, Limits, NotJudged, Raised, apart
from serving.monitoring.evidence import Evidence
from serving.monitoring.promises import compare


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised]:
    """Compare the rate on the newest matured days of each authority with that of the version's training data."""
    is_judged = False
    for of in evidence.current():
        manifest = evidence.judgement.manifests.get(of.version)
        if manifest is None or not manifest.base_rate:
            continue
        recent = compare(evidence.recent(of, limits["days"]).scored)
        if recent.ratio is None:
            continue
        times = recent.expected / (recent.children * manifest.base_rate)
        if recent.expected_children < limits["expected"] * times:
            continue
        is_judged = True
        low, high = recent.ratio.low * times, recent.ratio.high * times
        if low > limits["ratio"] or high < 1 / limits["ratio"]:
            rate = recent.observed / recent.children
            what = (
                f"{rate:.2%} of the children went missing, {rate / manifest.base_rate:.2g} times ({low:.2g} to {high:.2g}) the rate of "
                f"{manifest.base_rate:.2%} in training"
            )
            yield Raised(what, of.place(limits["days"]), apart(rate / manifest.base_rate))
    if not is_judged:
        raise NotJudged(
            "the model's folder is gone, or too few children with known outcomes are on its lists; see 'days'"
        )


ALARM = Alarm(
    code="A003",
    title="the rate of going missing has changed since training",
    reason=__doc__ or "",
    do="Find out whether children or their recording changed (onroll describe, onroll check), then train on newer terms.",
    since=date(2026, 11, 30),
    check=check,
)
