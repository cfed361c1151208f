"""Attackers of a running service, each in threads of its own until stopped: they count what they are answered.

All come from one address of this machine; honest callers come from another, since limits hold for an address.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import jwt

from benchmarks.load import ONE, UntilStopped

ADDRESS = "127.0.0.66"
HALF_BODIES, TOKENS, EMPTY_ROWS = 70, 40, 11_000_000  # as in the incidents; the rows are 33 MB
SCORINGS, MARKS = 10, 30_240  # ten of 2 MB at a time
PATIENCE = 60.0  # seconds for an answer


class Attackers(UntilStopped):
    """Every attack at once, again and again.

    Parameters
    ----------
    url : str
        The service.
    key : str
        The API key of the caller who scores many children and sends empty rows.

    Attributes
    ----------
    answered : dict of Counter
        By attack, how often each status came; 0 is a connection that the service closed.
    """

    def __init__(self, url: str, key: str) -> None:
        self.place = urlsplit(url)
        self.key = key
        self.answered: dict[str, Counter[int]] = {}
        attacks: list[tuple[str, int, Callable[[int], int]]] = [
            ("half bodies", HALF_BODIES, self._half_body),
            ("tokens with unknown keys", TOKENS, self._unknown_token),
            ("33 MB of empty rows", 1, self._empty_rows),
            ("scorings of 2 MB", SCORINGS, self._large_scoring),
        ]
        super().__init__(
            threading.Thread(target=self._again, args=(name, attack, n))
            for name, many, attack in attacks
            for n in range(many)
        )
        self._signer = "a secret of nobody that is long enough for HS256"
        marks = [_mark(n) for n in range(MARKS)]
        self._large = json.dumps({"as_of": "2025-01-13", "histories": {**ONE, "attendance": marks}}).encode()
        rows = b",".join([b"{}"] * EMPTY_ROWS)
        self._rows = b'{"as_of": "2025-01-13", "histories": {"pupils": [' + rows + b"]}}"

    def _again(self, name: str, attack: Callable[[int], int], number: int) -> None:
        answered = self.answered.setdefault(name, Counter())
        while not self._ended.wait(0.5):
            status = 0
            with suppress(OSError, http.client.HTTPException):
                status = attack(number)
            answered[status] += 1

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.place.netloc, timeout=PATIENCE, source_address=(ADDRESS, 0))

    def _ask(self, method: str, path: str, body: bytes | None, credential: str) -> int:
        connection = self._connection()
        try:
            headers = {"Authorization": f"Bearer {credential}", "Content-Type": "application/json"}
            connection.request(method, path, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def _half_body(self, number: int) -> int:
        """Send half a body to the sign-in form, and wait until the service ends it."""
        place = (self.place.hostname or "", self.place.port or 80)
        with socket.create_connection(place, PATIENCE, source_address=(ADDRESS, 0)) as connection:
            head = "POST /sign-in HTTP/1.1\r\nHost: onroll\r\nContent-Length: 40\r\n"
            form = "Content-Type: application/x-www-form-urlencoded\r\n\r\nhalf"
            connection.sendall((head + form).encode())
            answer = connection.recv(64)
        return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0

    def _unknown_token(self, number: int) -> int:
        token = jwt.encode({"sub": "u"}, self._signer, "HS256", headers={"kid": f"k{number}"})
        return self._ask("GET", "/api/v1/model", None, token)

    def _empty_rows(self, number: int) -> int:
        return self._ask("POST", "/api/v1/score", self._rows, self.key)

    def _large_scoring(self, number: int) -> int:
        return self._ask("POST", "/api/v1/score", self._large, self.key)


def _mark(number: int) -> dict[str, Any]:
    day = date(2024, 12, 20) - timedelta(days=number // 2 % 700)
    return {"pupil_id": "A1", "date": str(day), "session": ("AM", "PM")[number % 2], "code": "/"}
