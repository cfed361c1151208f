"""The service compared with the same routes on bare FastAPI and uvicorn, alternately within one run.

Bare means without BentoML, guard, access middleware, rate limits, metrics and logs; the handlers with their queries and the audit are
the same, on the same database. Handlers need a caller, so *bare* looks the caller's key up in the database, in a thread, as FastAPI
does with a dependency; `nobody` is *bare* with a fixed caller. ONROLL_MODEL names the model, for example that of `make demo`; scores
are random.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import polars as pl
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from benchmarks.one_pupil import DAY, posted
from benchmarks.ratios import note
from benchmarks.rounds import machine
from benchmarks.store import LEAD, scores
from histories.population.simulation import simulate
from histories.settings import settings
from serving.access.authenticators import bearer
from serving.cli.running import running
from serving.http.api import make_app
from serving.http.arrow_stream import written
from serving.http.schemas import ARROW
from serving.store import Store
from training.release.resolve import resolve

STORED, ROUNDS, CALLS, CLIENTS = 20_000, 8, 100, 8
KEY = "a key for benchmarks, 32 letters!"
FORMS = {"rows": 8, "columns": 4, "Arrow": 4}  # of /score, and how many times one pupil 100 may take
ONE = 15  # milliseconds promised for one pupil


def bare() -> Any:
    """Return the application for uvicorn without the access middleware; only the caller's key is looked up."""
    return _let_in(lambda store, request: store.caller(bearer(request)))


def nobody() -> Any:
    """Return the application for uvicorn without the access middleware; every caller is the lead of one authority."""
    return _let_in(None)


def _let_in(caller_of: Any) -> Any:
    app = make_app(settings(), "127.0.0.1")
    app.user_middleware.clear()

    async def let_in(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            caller = caller_of and await run_in_threadpool(caller_of, app.state.store, Request(scope))
            scope.setdefault("state", {})["caller"] = caller or LEAD
        await app(scope, receive, send)

    return let_in


@contextmanager
def bare_running(factory: str, home: Path, environment: dict[str, str]) -> Iterator[str]:
    """Yield the address of an application built by a function of this module."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", f"benchmarks.serving:{factory}", "--port", str(port)]
    with (home / f"{factory}.log").open("wb") as lines:
        process = subprocess.Popen(command, cwd=home, env={**os.environ, **environment}, stdout=lines, stderr=lines)
    try:
        until = time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)) and time.monotonic() < until:
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


class Client:
    """A keep-alive connection that times its calls."""

    def __init__(self, url: str, key: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.headers = {"Authorization": f"Bearer {key}"}

    def call(self, path: str, body: bytes | None, kind: str = "application/json") -> float:
        """Return a call's milliseconds; an answer other than 200 ends the run."""
        start = time.perf_counter()
        headers = {**self.headers, "Content-Type": kind}
        self.connection.request("GET" if body is None else "POST", path, body, headers)
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")
        return (time.perf_counter() - start) * 1000


def concurrently(clients: list[Client], path: str, body: bytes | None, calls: int) -> list[float]:
    """Return the milliseconds of calls by several concurrent clients."""
    latencies: list[float] = []

    def work(client: Client) -> None:
        latencies.extend([client.call(path, body) for _ in range(calls)])

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies


def compared(urls: dict[str, str], key: str, path: str, body: bytes | None, clients: int, calls: int) -> str:
    """Return a line with each service's median and 99th percentile, and their ratios."""
    latencies: dict[str, list[float]] = {name: [] for name in urls}
    for _ in range(ROUNDS):
        for name, url in urls.items():
            callers = [Client(url, key) for _ in range(clients)]  # a server ends a connection that waits for its turn
            concurrently(callers, path, body, 2)
            latencies[name] += concurrently(callers, path, body, calls)
    middle = {name: statistics.median(times) for name, times in latencies.items()}
    late = {name: statistics.quantiles(times, n=100)[98] for name, times in latencies.items()}
    line = "  ".join(f"{name} {middle[name]:6.2f} / {late[name]:6.2f} ms" for name in urls)
    ratios = {
        name: [quantile["onroll"] / quantile[name] for quantile in (middle, late)] for name in urls if name != "onroll"
    }
    return line + "".join(f"  to {name} {' / '.join(f'{r:.2f}' for r in two)}" for name, two in ratios.items())


def in_forms(rows: dict[str, list[dict[str, Any]]]) -> dict[str, tuple[bytes, str]]:
    """Return a request in each form that ``/score`` takes, with its content type."""
    frames = {name: pl.DataFrame(of, infer_schema_length=None) for name, of in rows.items() if of}
    columns = {name: frame.to_dict(as_series=False) for name, frame in frames.items()}
    as_json = [json.dumps({"as_of": DAY.isoformat(), "histories": of}).encode() for of in (rows, columns)]
    return {
        "rows": (as_json[0], "application/json"),
        "columns": (as_json[1], "application/json"),
        "Arrow": (written(frames, DAY), ARROW),
    }


def compared_forms(url: str, key: str, posted_rows: dict[int, dict[str, Any]]) -> None:
    """Print how long ``/score`` takes of one pupil and of 100, in each form, called in turn."""
    bodies = {(form, n): body for n in (1, 100) for form, body in in_forms(posted_rows[n]).items()}
    latencies: dict[tuple[str, int], list[float]] = {case: [] for case in bodies}
    for at in range(ROUNDS + 1):
        for case, (body, kind) in bodies.items():
            client = Client(url, key)
            calls = [client.call("/api/v1/score", body, kind) for _ in range(3)]
            latencies[case] += calls if at else []  # the first round compiles
    middle = {case: statistics.median(times) for case, times in latencies.items()}
    note("/score of one pupil", middle["rows", 1] / ONE, f"{ONE} ms", 1)
    for form, goal in FORMS.items():
        one, many = middle[form, 1], middle[form, 100]
        print(f"  /api/v1/score as {form:8} 1 pupil {one:6.1f} ms  100 pupils {many:6.1f} ms  {many / one:.1f} times")
        note(f"/score of 100 pupils as {form}", many / one, "one pupil", goal)


def main() -> None:
    """Print the median and 99th percentile of every call, for one client and for several at once."""
    model = resolve(settings().model, settings().releases).absolute()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        home = Path(folder)
        simulate(home / "h", pupils=600, years=3, seed=4)
        requests = posted(home / "h")
        sent = {n: json.dumps({"as_of": DAY.isoformat(), "histories": requests[n]}).encode() for n in (1, 100)}
        store = Store(f"sqlite:///{home / 'onroll.db'}", KEY.encode(), home / "anchors")
        store.save(scores(STORED), LEAD)
        _, key = store.create_key("lead", "801")
        environment = {
            "ONROLL_MODEL": str(model),
            "ONROLL_AUDIT_KEY": KEY,
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        (home / "access.toml").write_text("[limits]\nper_second = 1e6\nburst = 1000000\n")
        urls = {
            "nobody": stack.enter_context(bare_running("nobody", home, environment)),
            "bare": stack.enter_context(bare_running("bare", home, environment)),
            "onroll": stack.enter_context(running(home / "log", home, {**environment, "ONROLL_ACCESS": "access.toml"})),
        }
        print(f"{ROUNDS} rounds, median / 99th percentile, {machine()}")
        ids = [f"pupil-{n:07d}" for n in range(0, 150, 3)]
        stored = {"/api/v1/scores": {"pupil_ids": ids}, "/api/v1/worklist": {"limit": 100}}
        for many in (1, CLIENTS):
            print(f"concurrent clients: {many}")
            for path, body in {"/api/v1/model": None, **stored}.items():
                content = None if body is None else json.dumps(body).encode()
                print(
                    f"  {path:28}{compared(urls=urls, key=key, path=path, body=content, clients=many, calls=CALLS // many)}"
                )
        print("posted rows, one client")
        compared_forms(urls["onroll"], key, requests)
        for pupils, body in sent.items():
            calls = 10 if pupils == 1 else 4
            print(
                f"  /api/v1/score of {pupils:<12}{compared(urls=urls, key=key, path='/api/v1/score', body=body, clients=1, calls=calls)}"
            )


if __name__ == "__main__":
    main()
