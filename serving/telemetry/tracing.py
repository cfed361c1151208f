"""One span a request, when the environment names a collector: by route template, without addresses, bodies or states.

OpenTelemetry's own ASGI layer puts the whole URL into its spans, so the spans are written here.
"""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Any

CONFIGURED = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


@cache
def tracer() -> Any:
    """Return the tracer that sends to the collector that the environment names, or None."""
    if not any(os.environ.get(name) for name in CONFIGURED):
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "onroll"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider.get_tracer("onroll")


def record(scope: Any, method: str, route: str, status: int, began: int, request_id: str) -> None:
    """Write the span of one request; ``began`` in nanoseconds since 1970."""
    own = tracer()
    if own is None:
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    # Only the parent's numbers are taken over: a caller's trace state is free text, which would be sent on.
    parents = [value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"]
    span = own.start_span(
        f"{method} {route}",
        context=TraceContextTextMapPropagator().extract({"traceparent": "".join(parents)}),
        kind=SpanKind.SERVER,
        start_time=began,
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
