"""Clients that do not read what they asked for: other clients are served, and the connection ends.

Before, 64 connections that asked twice for the style sheet and read nothing made every other call a 503, and stayed for good.
"""

import asyncio
import logging
import threading
from types import SimpleNamespace

import pytest
import uvicorn
from uvicorn.server import ServerState

from serving.http import bodies, connections, work
from serving.http.connections import LimitedProtocol
from serving.http.guard import Guard
from tests.support.coroutines import run
from tests.support.listening import PATIENCE, ended, head, listening, status

LARGE = b" " * 8_000_000  # more than the system keeps for a client
ASKED = head("GET", "/about")


@pytest.fixture(autouse=True)
def nothing_fails(caplog):
    yield
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []


@pytest.fixture
def answering():
    """An application with large answers; ``begun`` counts its answers, ``lost`` its ended connections."""
    seen = SimpleNamespace(begun=threading.Semaphore(0), lost=threading.Semaphore(0))

    async def application(scope, receive, send):
        body = b"{}" if scope["path"] == "/livez" else LARGE
        seen.begun.release()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    class Protocol(LimitedProtocol):
        def connection_lost(self, exc):
            super().connection_lost(exc)
            seen.lost.release()

    seen.application, seen.protocol = Guard(application), Protocol
    return seen


def unread(connect, sent):
    connection = connect()
    connection.sendall(sent)
    return connection


def test_clients_that_read_nothing_leave_other_calls_answered(answering, monkeypatch):
    monkeypatch.setattr(work, "MAX_AT_ONCE", 3)
    with listening(answering.application, answering.protocol) as connect:
        for _ in range(3):
            unread(connect, ASKED * 2)
            assert all(answering.begun.acquire(timeout=PATIENCE) for _ in range(2))
        honest = unread(connect, head("GET", "/about", "Connection: close"))
        assert status(honest) == 200


@pytest.mark.parametrize(
    "sent", [ASKED, ASKED * 2, head("GET", "/about", "Connection: close")], ids=["once", "twice", "to be closed"]
)
def test_a_client_that_reads_nothing_is_cut_off(answering, monkeypatch, sent):
    monkeypatch.setattr(connections, "READ_SECONDS", 0.2)
    with listening(answering.application, answering.protocol) as connect:
        connection = unread(connect, sent)
        assert answering.lost.acquire(timeout=PATIENCE)
        assert ended(connection)
        assert not list(LimitedProtocol._unread)


@pytest.mark.parametrize(
    ("limit", "most"), [("MAX_UNREAD_OF_ADDRESS", 2), ("MAX_UNREAD", 2), ("MAX_UNREAD_BYTES", 1)], ids=lambda x: str(x)
)
def test_few_answers_wait_for_their_clients(answering, monkeypatch, limit, most):
    monkeypatch.setattr(connections, limit, most)
    monkeypatch.setattr(connections, "READ_SECONDS", 1000)
    with listening(answering.application, answering.protocol) as connect:
        for _ in range(4):
            unread(connect, ASKED)
            assert answering.begun.acquire(timeout=PATIENCE)
        assert all(answering.lost.acquire(timeout=PATIENCE) for _ in range(2))
        assert len(list(LimitedProtocol._unread)) <= 2
        assert status(unread(connect, head("GET", "/livez", "Connection: close"))) == 200


class Transport:
    """A connection of which a test says how much its client has read."""

    def __init__(self, address="192.0.2.1", size=0):
        self.address, self.size, self.ended = address, size, False

    def get_extra_info(self, name):
        return (self.address, 50_000) if name == "peername" else None

    def get_write_buffer_size(self):
        return self.size

    def set_write_buffer_limits(self, high):
        pass

    def is_closing(self):
        return self.ended

    def close(self):
        self.ended = True

    abort = close


class Loop:
    """A clock that a test sets forward to the next deadline."""

    def __init__(self):
        self.later = []

    def call_later(self, seconds, call, *values):
        self.later.append(lambda: call(*values))
        return SimpleNamespace(cancel=lambda: None)


def opened(address="192.0.2.1", size=0):
    config = uvicorn.Config(lambda: None, log_config=None)
    protocol = LimitedProtocol(config, ServerState(), {}, Loop())
    protocol.connection_made(Transport(address, size))
    return protocol


def test_a_client_that_reads_slowly_gets_all_of_it():
    slow = opened(size=3 * connections.MIN_READ)
    slow.pause_writing()
    for _ in range(2):
        slow.transport.size -= connections.MIN_READ
        slow.loop.later.pop()()
        assert not slow.transport.ended
    slow.transport.size -= 1
    slow.loop.later.pop()()
    assert slow.transport.ended
    slow.connection_lost(None)


def test_a_network_of_ipv6_is_one_address(monkeypatch):
    """Before, somebody with a /64, which every home has, had the limits of 2^64 addresses."""
    monkeypatch.setattr(connections, "MAX_WAITING_OF_ADDRESS", 2)
    opened_so = [opened(f"2001:db8::{n:x}:1") for n in range(3)]
    other = opened("2001:db8:0:1::1")
    assert [protocol.transport.ended for protocol in [*opened_so, other]] == [True, False, False, False]
    for protocol in [*opened_so, other]:
        protocol.connection_lost(None)


def test_bodies_of_a_network_of_ipv6_share_the_limits_of_one_address(monkeypatch):
    monkeypatch.setattr(bodies, "MAX_PER_ADDRESS", 2)

    async def reading(scope, receive, send):
        await receive()

    async def refused():
        guard, answers = Guard(reading, body_seconds=1000), asyncio.Queue()

        async def never():
            await asyncio.Event().wait()

        async def post(number):
            headers = [(b"content-type", b"application/json")]
            scope = {"type": "http", "method": "POST", "path": "/api/v1/scores", "headers": headers}

            async def send(message):
                answers.put_nowait((number, message.get("status")))

            await guard({**scope, "client": (f"2001:db8::{number}", 1)}, never, send)

        tasks = [asyncio.create_task(post(number)) for number in range(3)]
        first = await asyncio.wait_for(answers.get(), PATIENCE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return first

    assert run(refused())[0] == 0
