"""Load generation: clients that call a running service at a steady rate and record every call."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import secrets
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from benchmarks.store import SCORES

ONE = {
    "pupils": [{"pupil_id": "A1", "date_of_birth": "2014-05-01", "authority": "801"}],
    "enrolments": [{"pupil_id": "A1", "urn": "100001", "entry_date": "2018-09-04"}],
    "attendance": [{"pupil_id": "A1", "date": "2025-01-08", "session": s, "code": "O"} for s in ("AM", "PM")],
}
RECORDED = ("/api/v1/score", "/api/v1/scores", "/api/v1/worklist", "/api/v1/counts")  # each of these has an audit entry


@dataclass(frozen=True, kw_only=True)
class Called:
    """One call and its answer; ``status`` is 0 if the connection broke."""

    at: float
    path: str
    status: int
    proper: bool
    ms: float
    request_id: str


def call_of(number: int, scored_every: int, pupils: int) -> tuple[str, dict[str, Any] | None]:
    """Return the n-th call: mostly stored scores and lists, sometimes one that computes."""
    if number % scored_every == scored_every - 1:
        return "/api/v1/score", {"as_of": "2025-01-13", "histories": ONE}
    chosen = number % 8
    if chosen < 4:
        ids = [f"pupil-{random.randrange(pupils // 3) * 3:07d}" for _ in range(50)]
        return "/api/v1/scores", {"pupil_ids": ids}
    if chosen < 6:
        return "/api/v1/worklist", {"limit": 100, "year_group": random.choice([None, 3, 7])}
    return ("/api/v1/counts", {"by": "year_group"}) if chosen == 6 else ("/api/v1/model", None)


class UntilStopped:
    """Threads that work until stopped: while the context lasts, and then until each is done with what it does."""

    def __init__(self, threads: Iterable[threading.Thread]) -> None:
        self._threads, self._ended = list(threads), threading.Event()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


class Load(UntilStopped):
    """Clients, one per thread, that together make a given number of calls per second until stopped."""

    def __init__(
        self,
        url: str,
        key: str,
        clients: int,
        rate: float,
        *,
        scored_every: int = 40,
        pupils: int = SCORES,
        source: str = "127.0.0.1",
    ) -> None:
        self.host, self.key, self.scored_every, self.pupils = urlsplit(url).netloc, key, scored_every, pupils
        self.source = (source, 0)
        self.called: list[Called] = []
        self._pause = clients / rate
        super().__init__(threading.Thread(target=self._client, args=(n,)) for n in range(clients))

    def _client(self, first: int) -> None:
        connection = http.client.HTTPConnection(self.host, timeout=150, source_address=self.source)
        for number in itertools.count(first * 3):
            if self._ended.wait(random.uniform(0, 2 * self._pause)):
                return
            path, body = call_of(number, self.scored_every, self.pupils)
            called = self._call(connection, path, body)
            self.called.append(called)
            if not called.status:
                connection.close()

    def _call(self, connection: http.client.HTTPConnection, path: str, body: dict[str, Any] | None) -> Called:
        request_id, start, status, proper = secrets.token_hex(16), time.monotonic(), 0, False
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "X-Request-ID": request_id,
        }
        content = None if body is None else json.dumps({k: v for k, v in body.items() if v is not None})
        try:
            answer = self._ask(connection, "GET" if content is None else "POST", path, content, headers)
            read = json.loads(answer.read())
            kind = answer.headers["content-type"]
            proper = (
                "model" in read
                or "counts" in read
                or "version" in read
                or (kind == "application/problem+json" and read["status"] == answer.status)
            )
            status = answer.status
        except (OSError, http.client.HTTPException, ValueError):
            pass
        now = time.monotonic()
        return Called(at=now, path=path, status=status, proper=proper, ms=(now - start) * 1000, request_id=request_id)

    def _ask(self, connection: http.client.HTTPConnection, *request: Any) -> http.client.HTTPResponse:
        """Send a request, and retry once if the server had closed an idle connection, as clients do."""
        kept = connection.sock is not None
        try:
            connection.request(*request)
            return connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            connection.close()
            if not kept:
                raise
            connection.request(*request)
            return connection.getresponse()

    def summary(self) -> dict[str, Any]:
        """Return the number of calls by status, and the latency of successful ones: of all, and of those that compute."""
        well = [c.ms for c in self.called if c.status == 200]
        scored = [c.ms for c in self.called if c.status == 200 and c.path == "/api/v1/score"]
        return {
            "calls": len(self.called),
            "statuses": dict(sorted(Counter(c.status for c in self.called).items())),
            "median_ms": round(statistics.median(well), 1),
            "p99_ms": round(statistics.quantiles(well, n=100)[98], 1),
            "longest_ms": round(max(c.ms for c in self.called)),
            "scoring": {"calls": len(scored), "median_ms": _percentile(scored, 50), "p99_ms": _percentile(scored, 99)},
        }


def _percentile(values: list[float], percent: int) -> float | None:
    return round(statistics.quantiles(values, n=100)[percent - 1], 1) if len(values) > 1 else None
