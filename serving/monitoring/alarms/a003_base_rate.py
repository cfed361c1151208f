"""A model is calibrated to the rate at which children went missing when it was trained. If that rate changes, all its risks are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial

import polars as pl

from serving.monitoring.alarms.alarm import FEW, Alarm, Limits, NotJudged, Raised, Unjudged, apart
from serving.monitoring.evidence import Evidence
from serving.monitoring.promises import compare, expected_children

GONE = "the model's folder is gone"


def check(evidence: Evidence, limits: Limits) -> Iterator[Raised | Unjudged]:
    """Compare the rate on the newest matured days of each authority, of more of them while few children were expected to go missing, with that of its version's training data."""
    is_judged = False
    for of in evidence.current():
        manifest = evidence.judgement.manifests.get(of.version)
        if manifest is None or not manifest.base_rate:
            yield Unjudged(GONE, of.name)
            continue
        rate_then = manifest.base_rate
        looked = evidence.until_enough(of, limits, partial(_expected_at, rate_then))
        recent = compare(looked.outcomes.scored)
        if recent.ratio is None or looked.expected < limits["expected"]:
            yield Unjudged(FEW, looked.place)
            continue
        is_judged = True
        times = recent.expected / (recent.children * rate_then)
        low, high = recent.ratio.low * times, recent.ratio.high * times
        if low > limits["ratio"] or high < 1 / limits["ratio"]:
            rate = recent.observed / recent.children
            what = (
                f"{rate:.2%} of the children went missing, {rate / rate_then:.2g} times ({low:.2g} to {high:.2g}) the rate of "
                f"{rate_then:.2%} in the training of version {of.version}"
            )
            yield Raised(what, looked.where, apart(rate / rate_then), place=looked.place)
    if not is_judged:
        raise NotJudged(f"{GONE}, or {FEW}")


def _expected_at(rate: float, known: pl.DataFrame) -> float:
    """Return how many different children would go missing at a rate."""
    mean = float(known["risk"].mean() or 0.0)  # type: ignore[arg-type]
    return expected_children(known) * rate / mean if mean else 0.0


ALARM = Alarm(
    code="A003",
    title="the rate of going missing has changed since training",
    reason=__doc__ or "",
    do="Find out whether children or their recording changed (onroll describe, onroll check), then train on newer terms.",
    since=date(2026, 11, 30),
    check=check,
)
