"""Prometheus metrics, labelled by route template; a raw path could hold a pupil's identifier.

Requests have the names and labels that dashboards made for BentoML read, where ``endpoint`` is the template; ``method`` is ours.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib.metadata import version
from typing import Any


@cache
def _series() -> tuple[Any, Any, Any]:
    # Created at the first request, after the server has set the folder that its workers share.
    from prometheus_client import Counter, Gauge, Histogram

    name, of = "bentoml_service_request", ["endpoint", "service_name", "service_version"]
    answered = [*of, "http_response_code"]
    requests = Counter(f"{name}_total", "Requests by route template and status", [*answered, "method"])
    seconds = Histogram(f"{name}_duration_seconds", "Seconds by route template and status", answered)
    running = Gauge(f"{name}_in_progress", "Requests that run, by route template", of, multiprocess_mode="livesum")
    return requests, seconds, running


@cache
def _service() -> dict[str, str]:
    return {"service_name": "onroll", "service_version": version("onroll")}


@cache
def _gauges() -> tuple[Any, Any, Any]:
    from prometheus_client import Gauge

    # The newest value of any worker counts: they all follow the same alias.
    serving = Gauge("onroll_model_serves", "1 for the version that serves", ["version"], multiprocess_mode="mostrecent")
    refused = Gauge(
        "onroll_model_refused",
        "1 while the named version cannot serve and the previous one is kept",
        multiprocess_mode="mostrecent",
    )
    mismatch = Gauge(
        "onroll_model_mismatch",
        "1 while the named version disagrees with its promotion log or the audit",
        multiprocess_mode="mostrecent",
    )
    return serving, refused, mismatch


@cache
def _alarms() -> tuple[Any, Any, Any]:
    from prometheus_client import Counter, Gauge

    failures = Counter("onroll_sign_in_failures", "Refused credentials, by reason", ["reason"])
    bulk = Counter("onroll_bulk_reads", "Callers who were shown too many children within an hour", ["role"])
    broken = Gauge(
        "onroll_audit_broken", "1 while the chain of the audit does not verify", multiprocess_mode="mostrecent"
    )
    return failures, bulk, broken


def sign_in_failed(reason: str) -> None:
    """Count refused credentials; ``reason`` is one of a few words, never what was sent."""
    _alarms()[0].labels(reason).inc()


def bulk_read(role: str) -> None:
    """Count a caller who was shown too many children."""
    _alarms()[1].labels(role).inc()


def audit_is_whole(*, whole: bool) -> None:
    """Report whether the audit verifies."""
    _alarms()[2].set(0 if whole else 1)


@cache
def _monitoring() -> tuple[Any, Any]:
    from prometheus_client import Gauge

    up = Gauge(
        "onroll_alarm_up", "1 while the alarm was up when last monitored", ["code"], multiprocess_mode="mostrecent"
    )
    at = Gauge("onroll_monitored_seconds", "Unix time of the last 'onroll monitor'", multiprocess_mode="mostrecent")
    return up, at


_up: set[str] = set()


def alarms_up(codes: Collection[str], at: float) -> None:
    """Report which alarms of ``onroll monitor`` were up when it was last run, and when (Unix time)."""
    up, monitored = _monitoring()
    _up.update(codes)
    for code in sorted(_up):
        up.labels(code).set(1 if code in codes else 0)
    monitored.set(at)


@cache
def _outcomes() -> Any:
    from prometheus_client import Gauge

    what = "Children of a term's lists who went missing: expected by the risks, and observed (rounded to 5; NaN where small numbers are hidden)"
    return Gauge("onroll_list_outcomes", what, ["term", "number"], multiprocess_mode="mostrecent")


def outcomes(terms: Iterable[Mapping[str, Any]]) -> None:
    """Report what the lists of each term promised and what came, as ``/monitor`` shows it."""
    for term in terms:
        observed = math.nan if term["observed"] is None else term["observed"]
        _outcomes().labels(term["term"], "expected").set(term["expected"])
        _outcomes().labels(term["term"], "observed").set(observed)


_served: list[str] = []


def serves(served: str) -> None:
    """Report the version that serves from now on."""
    serves_nothing()
    _served[:] = [served]
    _gauges()[0].labels(served).set(1)


def serves_nothing(withdrawn: str = "") -> None:
    """Report that no version serves; ``withdrawn`` is the one that did, perhaps reported by a process that has ended."""
    serving, refused, mismatch = _gauges()
    for earlier in {*_served, withdrawn} - {""}:
        serving.labels(earlier).set(0)
    _served.clear()
    refused.set(0)
    mismatch.set(0)


def refuses(reason: str = "") -> None:
    """Report that the version that the alias names is refused; with a reason, because it disagrees with its log."""
    _, refused, mismatch = _gauges()
    refused.set(1)
    mismatch.set(1 if reason else 0)


def began(route: str) -> None:
    """Count one more request that runs; ``count`` ends it."""
    _, _, running = _series()
    running.labels(endpoint=route, **_service()).inc()


def count(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request that ended."""
    requests, durations, running = _series()
    of = {"endpoint": route, **_service()}
    running.labels(**of).dec()
    requests.labels(**of, http_response_code=str(status), method=method).inc()
    durations.labels(**of, http_response_code=str(status)).observe(seconds)


def page() -> tuple[bytes, str]:
    """Return the metrics of all workers and their content type."""
    import os

    from prometheus_client import (
        CONTENT_TYPE_LATEST,
        REGISTRY,
        CollectorRegistry,
        generate_latest,
        multiprocess,
    )

    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        return generate_latest(registry), CONTENT_TYPE_LATEST
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
