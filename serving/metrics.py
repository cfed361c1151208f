"""Metrics by route template: never a path, since a path could hold a pupil."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def _series() -> tuple[Any, Any]:
    # Made at the first request, after the server has named the folder that its workers share.
    from prometheus_client import Counter, Histogram

    requests = Counter("onroll_requests", "Requests by route template and status", ["method", "route", "status"])
    seconds = Histogram("onroll_request_seconds", "Seconds by route template", ["route"])
    return requests, seconds


def count(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request."""
    requests, durations = _series()
    requests.labels(method, route, str(status)).inc()
    durations.labels(route).observe(seconds)


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
