"""Requests that never end, and connections without a request: other clients are served.

Before, seventy half bodies to the open ``POST /sign-in`` made every other call a 503 for 22 seconds, again and again, and
half a head kept its connection for good.
"""

import asyncio
import logging
import re
import threading

import pytest
import uvicorn
from starlette.requests import Request

from serving.access.permissions import RULES, find
from serving.http import bodies, connections, work
from serving.http.bodies import Bodies, Body
from serving.http.guard import Guard
from tests.support.checkout import ROOT
from tests.support.listening import FORM, JSON, PATIENCE, ended, head, listening, status

SCORES = [*(f"POST /api/v1/scores {JSON}".split(" ", 2)), "Content-Length: 2", "Connection: close"]


async def application(scope, receive, send):
    """Read the whole body, as every route does, and answer."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})


async def refusing(scope, receive, send):
    """Answer without reading the body, as the access middleware does."""
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def honest(connect):
    connection = connect()
    connection.sendall(head(*SCORES) + b"{}")
    return status(connection)


def half_body(connect):
    connection = connect()
    connection.sendall(head("POST", "/sign-in", FORM, "Content-Length: 40") + b"half")
    return connection


def errors(caplog):
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]


@pytest.fixture(autouse=True)
def nothing_fails(caplog):
    yield
    assert errors(caplog) == []


def test_seventy_half_bodies_leave_other_calls_answered():
    with listening(Guard(application)) as connect:
        slow = [half_body(connect) for _ in range(70)]
        assert [honest(connect) for _ in range(10)] == [200] * 10
        crowded_out = slow[: 70 - bodies.MAX_PER_ADDRESS]
        assert {status(connection) for connection in crowded_out} <= {408, 503}
        slow[-1].sendall(b"x" * 36)
        assert status(slow[-1]) == 200


def test_a_client_that_leaves_before_its_body_is_whole_is_refused_and_no_fault(caplog):
    """Before, each one was a 500 and an ERROR line of the log: anybody could fill the log and raise the alarm of failures."""
    caplog.set_level(logging.INFO, "onroll.guard")
    begun, over = threading.Semaphore(0), threading.Semaphore(0)

    async def form(scope, receive, send):
        begun.release()
        try:
            await Request(scope, receive).form()
        finally:
            over.release()

    with listening(Guard(form)) as connect:
        leaving = half_body(connect)
        assert begun.acquire(timeout=PATIENCE)
        leaving.close()
        assert over.acquire(timeout=PATIENCE)
    assert [r.fields["status"] for r in caplog.records if r.getMessage() == "request"] == [400]
    assert errors(caplog) == []


def test_the_service_serves_its_connections_so():
    """BentoML's workers leave uvicorn's choice of the protocol as it is."""
    connections.install()
    config = uvicorn.Config(application)
    config.load()
    assert config.http_protocol_class is connections.LimitedProtocol
    assert "connections.install()" in (ROOT / "serving/http/service.py").read_text()


def test_bodies_that_are_never_read_end_with_their_connection(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    with listening(Guard(refusing)) as connect:
        unread = half_body(connect)
        assert status(unread) == 401
        assert ended(unread)


@pytest.mark.parametrize(
    "sent", [b"", b"GET /livez HT", b"GET /livez HTTP/1.1\r\nHost: a\r\n"], ids=["", "line", "head"]
)
def test_half_heads_and_silence_are_closed(monkeypatch, sent):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.2)
    with listening(Guard(application)) as connect:
        half = connect()
        half.sendall(sent)
        assert ended(half)


def test_one_address_holds_few_half_heads(monkeypatch):
    monkeypatch.setattr(connections, "MAX_WAITING_OF_ADDRESS", 8)
    with listening(Guard(application)) as connect:
        half = [connect() for _ in range(30)]
        for connection in half:
            connection.sendall(b"GET /livez HTTP/1.1\r\n")
        assert honest(connect) == 200
        assert all(ended(connection) for connection in half[:20])
        half[-1].sendall(b"Host: a\r\n\r\n")
        assert status(half[-1]) == 200


def test_bodies_together_hold_a_bounded_memory(monkeypatch):
    monkeypatch.setattr(bodies, "MAX_BYTES", 1000)
    with listening(Guard(application)) as connect:
        large = [connect() for _ in range(4)]
        for connection in large:
            connection.sendall(head("POST", "/api/v1/scores", JSON, "Content-Length: 800") + b" " * 600)
        answers = [status(connection) for connection in large[1:]]
        assert set(answers) == {503}
        large[0].sendall(b" " * 200)
        assert status(large[0]) == 200


def test_who_sends_much_is_refused_and_not_who_sends_then(monkeypatch):
    """Before, four slow bodies of 32 MB had everybody else's refused for half a minute."""
    monkeypatch.setattr(bodies, "MAX_BYTES", 4000)
    arrived = threading.Semaphore(0)

    async def counting(scope, receive, send):
        async def noted():
            message = await receive()
            arrived.release()
            return message

        await application(scope, noted, send)

    with listening(Guard(counting)) as connect:
        slow = [connect() for _ in range(4)]
        for connection in slow:
            connection.sendall(head("POST", "/api/v1/scores", JSON, "Content-Length: 2000") + b" " * 900)
            assert arrived.acquire(timeout=PATIENCE)
        sent = connect()
        sent.sendall(head("POST", "/api/v1/scores", JSON, "Content-Length: 800") + b" " * 800)
        assert status(sent) == 200
        assert status(slow[-1]) == 408
        slow[0].sendall(b" " * 1100)
        assert status(slow[0]) == 200


def arriving(together, refused, caller, network="192.0.2.1", size=1000):
    body = Body(network=network, caller=lambda: caller, stop=lambda: refused.append(caller))
    together.begin(body)
    return together.received(body, size)


def test_bytes_are_counted_by_caller_wherever_they_come_from(monkeypatch):
    monkeypatch.setattr(bodies, "MAX_BYTES", 10_000)
    together, refused = Bodies(), []
    assert all(arriving(together, refused, "many", f"192.0.2.{n}") for n in range(8))
    assert arriving(together, refused, "one", size=2500)
    assert refused == ["many"]
    assert together.size == 9500


def test_one_caller_leaves_room_for_others(monkeypatch):
    """Whole bodies that wait for their turn cannot be refused any more."""
    monkeypatch.setattr(bodies, "MAX_BYTES", 10_000)
    monkeypatch.setattr(bodies, "MAX_BYTES_OF_HOLDER", 5000)
    together, refused = Bodies(), []
    assert [arriving(together, refused, "many") for _ in range(6)] == [*[True] * 5, False]
    assert arriving(together, refused, "one", size=4000)
    assert refused == []


def test_work_is_limited_all_the_same(monkeypatch):
    monkeypatch.setattr(work, "MAX_AT_ONCE", 3)
    begun, release, loops = threading.Semaphore(0), asyncio.Event(), []

    async def working(scope, receive, send):
        if (await receive())["type"] == "http.disconnect":
            return
        loops.append(asyncio.get_running_loop())
        begun.release()
        await release.wait()
        await refusing(scope, receive, send)

    with listening(Guard(working)) as connect:
        working_on = [connect() for _ in range(3)]
        for connection in working_on:
            connection.sendall(head("POST", "/api/v1/scores", JSON, "Content-Length: 2") + b"{}")
            assert begun.acquire(timeout=PATIENCE)
        assert honest(connect) == 503
        loops[0].call_soon_threadsafe(release.set)
        assert [status(connection) for connection in working_on] == [401] * 3


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /livez HTTP/1.1\nHost: a\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: a\r\nX: b\n\n",
    ],
    ids=["request line", "last header", "end"],
)
def test_a_line_that_ends_with_a_bare_line_feed_is_refused(sent):
    with listening(Guard(application)) as connect:
        connection = connect()
        connection.sendall(sent)
        assert status(connection) == 400
        assert ended(connection)


CHUNKED = head("POST", "/api/v1/scores", JSON, "Transfer-Encoding: chunked")


@pytest.mark.parametrize(
    "sent",
    [
        b"2\r\n{}\r\n0\r\n\n",
        b"2\r\n{}\r\n0\r\nX: a\n\n",
        b"2\r\n{}\r\n0\r\nX: a\n\r\n",
        b"2\r\n{}\r\n0\r\nX: a\nContent-Length: 9\r\n\r\n",
        b"2\n{}\r\n0\r\n\r\n",
        b"2;a\nb\r\n{}\r\n0\r\n\r\n",
        b"2;a\rb\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}\n0\r\n\r\n",
    ],
    ids=["end", "trailer", "last trailer", "first trailer", "size", "extension", "CR in extension", "data"],
)
def test_no_line_of_a_chunked_body_ends_with_a_bare_line_feed(sent):
    """Before, trailers could: a proxy that sees one line there forwards what h11 takes for two."""
    with listening(Guard(application)) as connect:
        connection = connect()
        connection.sendall(CHUNKED + sent)
        assert status(connection) == 400
        assert ended(connection)


def test_trailers_and_line_feeds_in_chunks_are_read_however_they_arrive():
    with listening(Guard(application)) as connect:
        connection = connect()
        for byte in CHUNKED + b"4;a=b\r\n{\n}\n\r\n0\r\nX: a\r\n\r\n":
            connection.sendall(bytes([byte]))
        answers = connection.makefile("rb")
        assert b" 200 " in answers.readline()
        connection.sendall(head("GET", "/livez", "Connection: close"))
        assert b"HTTP/1.1 200" in answers.read()


def test_a_body_in_very_many_chunks_is_refused(monkeypatch):
    """Each costs as much time as thousands of bytes: a body of one-byte chunks keeps the service from everybody else."""
    monkeypatch.setattr(connections, "MAX_CHUNKS", 5)
    with listening(Guard(application)) as connect:
        connection = connect()
        for chunks in (4, 4, 6):  # the count is that of one body
            connection.sendall(CHUNKED + b"1\r\n \r\n" * chunks + b"0\r\n\r\n")
        assert re.findall(rb"HTTP/1.1 (\d+)", connection.makefile("rb").read()) == [b"200", b"200", b"400"]


def test_what_is_not_http_after_an_answer_ends_the_connection_and_fails_nowhere(caplog):
    with listening(Guard(refusing)) as connect:
        connection = connect()
        connection.sendall(CHUNKED)
        answer = connection.makefile("rb")
        assert b" 401 " in answer.readline()
        connection.sendall(b"no size\r\n")
        assert b"HTTP/1.1" not in answer.read()
    assert errors(caplog) == []


def test_line_feeds_in_a_body_do_not_count_as_head():
    with listening(Guard(application)) as connect:
        connection = connect()
        connection.sendall(head("POST", "/api/v1/scores", JSON, "Content-Length: 4") + b"{\n}\n")
        assert status(connection) == 200


def test_an_ambiguous_length_ends_the_connection():
    with listening(Guard(application)) as connect:
        connection = connect()
        lengths = ("Content-Length: 5", "Transfer-Encoding: chunked")
        connection.sendall(head("POST", "/api/v1/scores", JSON, *lengths) + b"0\r\n\r\n" + head("GET", "/livez"))
        answers = connection.makefile("rb").read()  # until the connection ends
        assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"400"], "what follows is no request of its own"


@pytest.mark.parametrize("path", sorted({rule.route for rule in RULES if "{" not in rule.route}))
def test_a_path_with_a_line_feed_is_no_route(path):
    assert find("GET", f"{path}\n") == (None, ())
    assert find("GET", path)[1]
