"""The guard: every request, however malformed or slow, gets exactly one proper answer."""

import asyncio
import json
import logging
import socket
import threading
import time

import pytest
import uvicorn

from serving.http import exchange, work
from serving.http.guard import Guard
from serving.telemetry import tracing
from serving.telemetry.logs import JsonFormatter
from tests.support.coroutines import run

CANARY = "ZZCANARYZZ"
JSON = [(b"content-type", b"application/json")]


class Answered:
    def __init__(self, sent):
        (start,) = [m for m in sent if m["type"] == "http.response.start"]
        self.status, self.headers = start["status"], dict(start["headers"])
        self.body = b"".join(m.get("body", b"") for m in sent)


def ask(app, path="/api/v1/scores", method="POST", headers=JSON, parts=(b"{}",), stall=False, refused=(), **times):
    """Call the guarded application as a server would; with ``stall`` the body never ends, one message of each refused type is not sent."""
    guarded = app if isinstance(app, Guard) else Guard(app, **times)
    refused = list(refused)

    async def answered():
        sent = []
        waiting = [
            {"type": "http.request", "body": p, "more_body": stall or i + 1 < len(parts)} for i, p in enumerate(parts)
        ]

        async def receive():
            if waiting:
                return waiting.pop(0)
            await asyncio.Event().wait()

        async def send(message):
            if message["type"] in refused:
                refused.remove(message["type"])
                raise RuntimeError
            sent.append(message)

        await guarded({"type": "http", "method": method, "path": path, "headers": headers, "state": {}}, receive, send)
        return Answered(sent)

    return run(answered())


async def echo(scope, receive, send):
    """Read the whole body, then answer with its length."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RuntimeError(CANARY)
        size, more = size + len(message["body"]), message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"max-age=9")]})
    await send({"type": "http.response.body", "body": str(size).encode()})


async def never(scope, receive, send):
    await asyncio.Event().wait()


async def broken(scope, receive, send):
    raise ValueError(CANARY)


def test_an_answer_carries_security_headers_beside_the_applications():
    answered = ask(echo, parts=(b"{", b"}"))
    assert (answered.status, answered.body) == (200, b"2")
    assert answered.headers[b"x-frame-options"] == b"DENY"
    assert answered.headers[b"x-content-type-options"] == b"nosniff"
    policy = answered.headers[b"content-security-policy"]
    assert all(part in policy for part in (b"default-src 'none'", b"base-uri 'none'", b"frame-ancestors 'none'"))
    assert answered.headers[b"referrer-policy"] == b"no-referrer"
    assert answered.headers[b"strict-transport-security"] == b"max-age=31536000"
    assert answered.headers[b"cache-control"] == b"max-age=9"
    assert ask(broken).headers[b"cache-control"] == b"no-store"
    assert not any(name.startswith(b"access-control") for name in answered.headers)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"content-type", b"application/json; charset=UTF-8")], 200),
        ([(b"content-type", b'APPLICATION/JSON;charset="utf-8"')], 200),
        ([(b"content-type", b"application/json; charset=utf-16")], 415),
        ([(b"content-type", b"application/vnd.bentoml+pickle")], 415),
        ([(b"content-type", b"multipart/form-data; boundary=x")], 415),
        ([], 415),
        ([*JSON, *JSON], 415),
        ([*JSON, (b"content-encoding", b"gzip")], 415),
        ([*JSON, (b"content-length", b"2"), (b"content-length", b"2")], 400),
        ([*JSON, (b"content-length", b"2"), (b"transfer-encoding", b"chunked")], 400),
        ([*JSON, (b"content-length", b"-2")], 400),
        ([*JSON, (b"content-length", b"9" * 5000)], 413),
        ([*JSON, (b"content-length", b"9999999")], 413),
    ],
    ids=range(13),
)
def test_the_head_of_a_request_is_judged_before_its_body(headers, status):
    answered = ask(echo, headers=headers)
    assert answered.status == status
    if status != 200:
        assert answered.headers[b"content-type"] == b"application/problem+json"


def test_a_body_without_a_length_is_cut_off_at_the_limit():
    answered = ask(echo, parts=[b" " * 100] * 50, limit=1000)
    assert answered.status == 413
    assert json.loads(answered.body)["status"] == 413


def test_a_body_that_does_not_come_is_answered():
    assert ask(echo, parts=(b"{",), stall=True, body_seconds=0.05).status == 408


def test_an_answer_that_does_not_come_is_replaced():
    answered = ask(never, body_seconds=0.01, answer_seconds=0.05)
    assert (answered.status, answered.headers[b"retry-after"]) == (503, b"10")


def test_calls_over_the_limit_are_refused_but_probes_answer(monkeypatch):
    monkeypatch.setattr(work, "MAX_AT_ONCE", 0)
    assert ask(echo).status == 503
    assert ask(echo, "/livez", "GET").status == 200


def test_a_failure_is_answered_and_logged_without_its_text(caplog):
    answered = ask(broken)
    assert answered.status == 500
    lines = [JsonFormatter().format(record) for record in caplog.records]
    assert any(json.loads(line).get("exception") == "ValueError" for line in lines)
    assert CANARY not in "".join(lines) + answered.body.decode()


def test_malformed_http_is_refused_and_is_no_server_error(caplog):
    """The server answers a broken body itself; the guard's answer can no longer be sent."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(Guard(echo), http="h11", lifespan="off", log_config=None))
    serving = threading.Thread(target=asyncio.run, args=(server.serve([listener]),))
    serving.start()
    try:
        with socket.create_connection(listener.getsockname(), 30) as caller:
            caller.sendall(
                b"POST /api/v1/scores HTTP/1.1\r\nHost: a\r\nContent-Type: application/pickle\r\n"
                b"Transfer-Encoding: chunked\r\n\r\nno length of a part\r\n"
            )
            assert caller.makefile("rb").read().startswith(b"HTTP/1.1 400")
    finally:
        server.should_exit = True
        serving.join()
    assert [r.name for r in caplog.records if r.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(("refused", "status"), [("http.response.start", 500), ("http.response.body", 200)])
def test_an_unsent_answer_is_a_failure_while_the_caller_is_connected(caplog, monkeypatch, refused, status):
    monkeypatch.setattr(exchange, "DISCONNECT_SECONDS", 0.01)
    assert ask(echo, refused=[refused]).status == status
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR] == ["a request failed"]


def test_the_request_id_is_in_the_answer_the_problem_and_the_log(caplog):
    caplog.set_level(logging.INFO, "onroll")
    given = "0123456789abcdef-0123456789abcdef"
    answered = ask(broken, headers=[*JSON, (b"x-request-id", given.encode())])
    assert answered.headers[b"x-request-id"].decode() == json.loads(answered.body)["request_id"] == given
    (line,) = [json.loads(JsonFormatter().format(r)) for r in caplog.records if r.getMessage() == "request"]
    assert (line["request_id"], line["route"], line["status"]) == (given, "/api/v1/scores", 500)


@pytest.mark.parametrize("unsafe", [b"A123456789012", b"a\nb", b"x" * 20, b"a" * 65, b"", b"0123456789abcde-"])
def test_a_request_id_that_could_hold_something_else_is_replaced(unsafe):
    answered = ask(echo, headers=[*JSON, (b"x-request-id", unsafe)])
    assert answered.headers[b"x-request-id"] != unsafe


def test_the_log_line_of_a_request_holds_the_template_and_no_path(caplog):
    caplog.set_level(logging.INFO, "onroll")
    ask(echo, f"/api/v1/{CANARY}", CANARY)
    (line,) = [JsonFormatter().format(r) for r in caplog.records if r.getMessage() == "request"]
    assert json.loads(line)["route"] == "unmatched"
    assert CANARY not in line


def test_log_lines_have_their_time_in_utc_and_hold_a_line_feed_as_text(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        record = logging.makeLogRecord({"msg": "one\n{two}", "created": 1735689600.25})
        line = JsonFormatter().format(record)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert json.loads(line)["at"] == "2025-01-01T00:00:00.250+00:00"
    assert "\n" not in line


def test_a_websocket_is_closed():
    sent = []

    async def send(message):
        sent.append(message)

    run(Guard(echo)({"type": "websocket", "path": "/"}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_spans_carry_the_route_template_and_no_input(monkeypatch):
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(tracing, "tracer", lambda: provider.get_tracer("test"))
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = [
        *JSON,
        (b"traceparent", f"00-{trace}-b7ad6b7169203331-01".encode()),
        (b"tracestate", f"a={CANARY}".encode()),
    ]
    ask(echo, headers=[*headers, (b"user-agent", CANARY.encode())])
    ask(echo, f"/{CANARY}", headers=[(b"traceparent", CANARY.encode())])
    first, second = kept.get_finished_spans()
    assert (first.name, f"{first.context.trace_id:032x}") == ("POST /api/v1/scores", trace)
    assert second.name == "POST unmatched"
    assert CANARY not in first.to_json() + second.to_json()


def test_without_a_collector_in_the_environment_nothing_is_traced(monkeypatch):
    for name in tracing.CONFIGURED:
        monkeypatch.delenv(name, raising=False)
    tracing.tracer.cache_clear()
    assert tracing.tracer() is None
