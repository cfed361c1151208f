"""The identity provider accepts connections but does not answer, while tokens with unknown keys arrive: API keys keep working.

Before, forty such tokens held up valid API keys for 60 seconds.
"""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest
from starlette.testclient import TestClient

from histories.settings import settings
from serving.access import fetched, signing_keys
from serving.access.fetched import COOLDOWN, LIFESPAN, MAX_AGE
from serving.access.signing_keys import KeysAtAddress, KeysUnavailable
from serving.http.api import make_app
from tests.support.identity_provider import jwks, signing_key, silent_provider

FILE = """
[tokens]
issuer = "https://id.example"
audience = "onroll"
jwks = "{address}"
[roles]
"Onroll.Worker" = "worker"
"""


@pytest.fixture(scope="module")
def signer():
    return signing_key()


@contextmanager
def provider(answers):
    """Yield the address of a provider that gives these answers in turn (a text redirects there), and what it was asked."""
    requests = []

    class Provider(BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            answer = answers[min(len(requests), len(answers)) - 1]
            if isinstance(answer, str):
                self.send_response(302)
                self.send_header("Location", answer)
                answer = b""
            else:
                self.send_response(200 if answer else 500)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/keys", requests
    server.shutdown()
    server.server_close()


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_api_keys_do_not_wait_for_the_provider(bundle, tmp_path, monkeypatch, signer):
    with silent_provider() as (address, accepted):
        (tmp_path / "access.toml").write_text(FILE.format(address=address))
        monkeypatch.setenv("ONROLL_ACCESS", "access.toml")
        monkeypatch.setenv("ONROLL_MODEL", str(bundle))
        client = TestClient(make_app(settings()))
        _, key = client.app.state.store.create_key("lead", "801")

        def ask(number):
            unknown = jwt.encode({"sub": "u"}, signer, algorithm="RS256", headers={"kid": f"k{number}"})
            return client.get("/api/v1/model", headers={"Authorization": f"Bearer {unknown}"}).status_code

        with ThreadPoolExecutor(40) as tokens, client:
            pending = [tokens.submit(ask, number) for number in range(40)]
            began = time.monotonic()
            with_key = [
                client.get("/api/v1/model", headers={"Authorization": f"Bearer {key}"}).status_code for _ in range(5)
            ]
            waited = time.monotonic() - began
            assert {answer.result() for answer in pending} == {503}
        assert with_key == [200] * 5
        assert waited < 20, "API keys waited for the identity provider"  # 60 s and more before
        assert len(accepted) == 1


def test_unknown_keys_are_not_fetched_again_and_again(signer, clock):
    with provider([jwks(signer, "k1").encode(), jwks(signer, "k1", "k2").encode()]) as (address, requests):
        keys = KeysAtAddress(address, clock)
        assert keys.find("k1").key_id == "k1"
        assert [keys.find(f"x{n}") for n in range(50)] == [None] * 50
        assert keys.find("k2") is None
        assert len(requests) == 1
        clock.now += COOLDOWN
        assert keys.find("k2").key_id == "k2"
        assert keys.find("x") is None
        assert len(requests) == 2


def test_a_failed_provider_is_not_asked_again_at_once(signer, clock):
    with provider([b"", b"no keys", jwks(signer, "k1").encode()]) as (address, requests):
        keys = KeysAtAddress(address, clock)
        for failures in (1, 2):
            for _ in range(10):
                with pytest.raises(KeysUnavailable):
                    keys.find("k1")
            assert len(requests) == failures
            clock.now += COOLDOWN
        assert keys.find("k1").key_id == "k1"


def test_cached_keys_work_while_the_provider_is_silent_but_expire(signer, clock, monkeypatch):
    monkeypatch.setattr(fetched, "FETCH_SECONDS", 0.05)
    with silent_provider() as (address, _):
        keys = KeysAtAddress(address, clock)
        keys.fetched.put(signing_keys._by_id(jwks(signer, "k1").encode()))
        clock.now += LIFESPAN + 1
        assert keys.find("k1").key_id == "k1"
        clock.now += MAX_AGE
        with pytest.raises(KeysUnavailable):
            keys.find("k1")


def test_an_answer_that_drips_or_never_ends_is_given_up(clock, monkeypatch):
    monkeypatch.setattr(fetched, "FETCH_SECONDS", 0.3)

    def drip(listener):
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            try:
                while True:
                    connection.sendall(b" ")
                    stopped.wait(0.02)
            except OSError:
                stopped.set()

    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        keys = KeysAtAddress(f"http://127.0.0.1:{listener.getsockname()[1]}/keys", clock)
        with pytest.raises(KeysUnavailable):
            keys.find("k1")
        assert stopped.wait(20), "the connection was left open"


def test_an_answer_that_is_too_large_is_refused(clock, monkeypatch):
    monkeypatch.setattr(fetched, "MAX_BYTES", 100)
    with provider([b" " * 200 + b'{"keys": []}']) as (address, _), pytest.raises(KeysUnavailable):
        KeysAtAddress(address, clock).find("k1")


def test_an_answer_that_leads_elsewhere_is_not_followed(signer, clock):
    """Whoever can redirect the provider's address would name the keys, and make the service ask any other."""
    with provider(["/elsewhere", jwks(signer, "k1").encode()]) as (address, requests):
        keys = KeysAtAddress(address, clock)
        with pytest.raises(KeysUnavailable):
            keys.find("k1")
        assert requests == ["/keys"]
        clock.now += COOLDOWN + 1
        assert keys.find("k1") is not None
