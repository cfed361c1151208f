"""Fuzzing the real server: it always answers properly, never hangs or fails, and never logs submitted values."""

import json
import os
import random
import re
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from serving.cli.running import running
from serving.store import Store
from tests.support.checkout import ROOT
from tests.support.scores import full_score
from tests.support.strange_requests import BODIES, CANARY, every, plain, request

PATIENCE = 60  # seconds for one answer


@pytest.fixture(scope="module")
def service(tmp_path_factory, bundle):
    """A running service: its address, log and keys of a lead and an analyst."""
    home = tmp_path_factory.mktemp("fuzz")
    store = Store(f"sqlite:///{home / 'onroll.db'}")
    store.save({**full_score(f"p{n}", "801"), "rank": n} for n in range(1, 40))
    keys = [store.create_key(role, "801")[1] for role in ("lead", "analyst")]
    (home / "access.toml").write_text("[limits]\nper_second = 100000\nburst = 100000\n")
    environment = {"ONROLL_MODEL": str(bundle), "PYTHONPATH": str(ROOT), "ONROLL_ACCESS": "access.toml"}
    with running(home / "log", home, environment) as url:
        yield url, home / "log", keys


def errors_in(lines):
    """Return the lines of errors: not of the alarm that so many wrong credentials rightly raise."""
    return [x for x in lines.splitlines() if '"level": "ERROR"' in x and '"msg": "failed sign-ins"' not in x]


def examples():
    return re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.S)


@pytest.mark.parametrize("example", examples(), ids=range(len(examples())))
def test_the_examples_of_the_documentation_run(service, example):
    url, _, keys = service
    given = {**os.environ, "ONROLL_URL": url, "ONROLL_KEY": keys[0]}
    done = subprocess.run(["bash", "-c", example], env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)


@pytest.mark.parametrize(
    ("most", "phases"), [(20, "fuzzing"), pytest.param(150, "coverage,fuzzing", marks=pytest.mark.prove)]
)
def test_the_openapi_description_matches_the_answers(service, most, phases):
    """Schemathesis calls every described route with valid and invalid requests and compares the answers with the description."""
    url, log, keys = service
    ids = {"ONROLL_REAL_IDS": "p1,p2,p3", "SCHEMATHESIS_HOOKS": "tests.support.openapi_hooks"}
    done = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "run",
            f"{url}/openapi.json",
            "-H",
            f"Authorization: Bearer {keys[0]}",
            "--max-examples",
            str(most),
            "--phases",
            phases,
            "--seed",
            "1",
            "--continue-on-failure",
            "--no-color",
            "--warnings",
            "off",
        ],
        env={**os.environ, **ids, "PYTHONPATH": str(ROOT)},
        cwd=log.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, "\n".join(line[:400] for line in done.stdout.splitlines())[-6000:]
    assert re.search(r"(\d+) generated", done.stdout), done.stdout[-2000:]
    assert errors_in(log.read_text()) == []


def answer(port, pieces):
    """Send the pieces and return the status of the answer; 0 when the server closed without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except OSError:
            pass  # the server answered and closed before everything was sent
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionResetError:
            pass
    heads = [int(m) for m in re.findall(rb"^HTTP/1\.1 (\d{3}) ", received)]
    return heads[0] if heads else 0


def assert_well(url, log):
    """The service is ready, and its log and metrics contain no submitted value."""
    with urllib.request.urlopen(f"{url}/readyz", timeout=PATIENCE) as ready:
        assert ready.status == 200
    page = urllib.request.urlopen(f"{url}/metrics", timeout=PATIENCE).read().decode()
    lines = log.read_text(errors="replace")
    assert CANARY.lower() not in (lines + page).lower()
    assert errors_in(lines) == []


@pytest.mark.parametrize("number", [2000, pytest.param(10_000, marks=pytest.mark.prove)])
def test_strange_requests_are_answered_and_forgotten(service, number):
    url, log, keys = service
    port = int(url.rsplit(":", 1)[1])
    chance = random.Random(number)
    counts = {}
    with ThreadPoolExecutor(2) as pool:
        sent = [plain(path, body, keys[0]) for path, whole in BODIES.items() for body in every(whole)]
        sent += [request(chance, keys) for _ in range(number - len(sent))]
        for pieces, status in zip(sent, pool.map(lambda pieces: answer(port, pieces), sent), strict=True):
            assert status < 500, pieces[0][:300] + pieces[1][:300]
            counts[status] = counts.get(status, 0) + 1
    assert_well(url, log)
    assert {200, 400, 401, 403, 404, 405, 413, 415, 422} <= set(counts), counts
    # A connection may end without an answer only if its request was never complete.
    assert counts.get(0, 0) < number / 20, counts


@pytest.mark.prove
def test_slow_bodies_and_heads_hold_up_no_other_call(service):
    """Eighty clients send half a request and then nothing: other clients are served, and the slow ones get an answer in the end."""
    url, log, keys = service
    port = int(url.rsplit(":", 1)[1])
    head = f"POST /api/v1/worklist HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {keys[0]}\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n"
    waiting = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(80)]
    try:
        for n, connection in enumerate(waiting):
            connection.sendall(head.encode() + f'{{"{CANARY}'.encode() if n % 5 else head.encode()[:60])
        began = time.monotonic()
        body = b'{"pupil_ids": ["p1"]}'
        quick = head.replace("worklist", "scores").replace(": 40", f": {len(body)}\r\nConnection: close").encode()
        assert [answer(port, [quick, body]) for _ in range(20)] == [200] * 20
        assert time.monotonic() - began < 25, "others waited for the slow ones"
        answers = [connection.recv(65536)[:12] for n, connection in enumerate(waiting) if n % 5]
        # With the quick ones they are more than an address may keep waiting: a few are sent away before their time.
        assert b"HTTP/1.1 408" in answers
        assert set(answers) <= {b"HTTP/1.1 408", b"HTTP/1.1 503"}
    finally:
        for connection in waiting:
            connection.close()
    assert_well(url, log)
