"""One span per request if the environment names a collector: by route template, without URLs, bodies or trace state.

OpenTelemetry's ASGI middleware records the whole URL, so this module creates the spans.
"""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Any

CONFIGURED = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@cache
def tracer() -> Any:
    """Return a tracer for the collector that the environment names, or None."""
    if not any(os.environ.get(name) for name in CONFIGURED):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "onroll"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("onroll")


def record(scope: Any, method: str, route: str, status: int, start: int, request_id: str) -> None:
    """Record the span of one request; ``start`` is in nanoseconds since 1970."""
    configured = tracer()
    if configured is None:
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    # Only the parent ids are used: a caller's trace state is free text, and would be sent on.
    parents = [value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"]
    span = configured.start_span(
        f"{method} {route}",
        context=TraceContextTextMapPropagator().extract({"traceparent": "".join(parents)}),
        kind=SpanKind.SERVER,
        start_time=start,
        attributes={
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "onroll.request_id": request_id,
        },
    )
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR))
    span.end(time.time_ns())
