"""A typed client of the HTTP interface, sync and async; it retries when the service asks to, and follows pages.

Examples
--------
>>> with Client("http://127.0.0.1:3000", key="onroll_…") as onroll:  # doctest: +SKIP
...     for score in onroll.worklist(urn="100001"):
...         print(score.rank, score.band, score.reasons[0].sentence)

Its errors and log lines never hold identifiers, keys or anything else sent or received.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from serving.http.schemas import ARROW, CountsAnswer, ModelCard, ProblemAnswer, ScoresAnswer, WorklistAnswer
from serving.retrying import Retry
from training.explanation.score import Score

Answer = TypeVar("Answer", bound=BaseModel)


class RequestRefused(Exception):
    """The service answered with a problem.

    Attributes
    ----------
    status : int
    title, detail : str
    errors : list of InvalidPart
        What is wrong with which part of the request.
    request_id : str or None
        Quote it to the operators of the service.
    """

    def __init__(self, problem: ProblemAnswer) -> None:
        super().__init__(f"{problem.status} {problem.title}. {problem.detail}")
        self.status, self.title, self.detail = problem.status, problem.title, problem.detail
        self.errors, self.request_id = problem.errors or [], problem.request_id


class Unreachable(Exception):
    """The service did not answer, or something else answered instead."""


@dataclass(frozen=True)
class _Call(Generic[Answer]):
    """One call: the request and the type of its answer."""

    method: str
    path: str
    answer: type[Answer]
    body: dict[str, Any] | bytes | None = None

    def sent(self) -> dict[str, Any]:
        """Return the body as arguments of the HTTP client."""
        if isinstance(self.body, bytes):
            return {"content": self.body, "headers": {"Content-Type": ARROW}}
        return {"json": self.body}

    def read(self, response: httpx2.Response | None) -> Answer:
        """Return the typed answer, or raise the service's problem."""
        if response is None:
            raise Unreachable("The service cannot be reached.")
        try:
            if response.status_code == 200:
                return self.answer.model_validate_json(response.content)
            problem = ProblemAnswer.model_validate_json(response.content)
        except ValidationError:
            # Pydantic's message repeats its input.
            raise Unreachable(f"The answer ({response.status_code}) is not from the onroll service.") from None
        raise RequestRefused(problem)


class _Calls:
    """The calls that both clients make."""

    def __init__(self, url: str, key: str, retry: Retry) -> None:
        address = httpx2.URL(url)
        if address.scheme != "https" and not _is_loopback(address.host):
            raise ValueError("A key is sent over https only, except to a service on this machine.")
        self.retry = retry
        self._settings: dict[str, Any] = {"base_url": address, "headers": {"Authorization": f"Bearer {key}"}}

    @staticmethod
    def _score(histories: Mapping[str, Any], as_of: date) -> _Call[ScoresAnswer]:
        frames = [hasattr(table, "__arrow_c_stream__") for table in histories.values()]
        if frames and all(frames):
            from serving.http.arrow_stream import written

            return _Call("POST", "/api/v1/score", ScoresAnswer, written(histories, as_of))
        return _Call("POST", "/api/v1/score", ScoresAnswer, {"as_of": as_of.isoformat(), "histories": histories})

    @staticmethod
    def _scores(pupil_ids: list[str], as_of: date | None) -> _Call[ScoresAnswer]:
        return _Call("POST", "/api/v1/scores", ScoresAnswer, _given(pupil_ids=pupil_ids, as_of=as_of))

    @staticmethod
    def _counts(by: str, as_of: date | None) -> _Call[CountsAnswer]:
        return _Call("POST", "/api/v1/counts", CountsAnswer, _given(by=by, as_of=as_of))

    @staticmethod
    def _worklist(limit: int, after: str | None, filters: dict[str, Any]) -> _Call[WorklistAnswer]:
        return _Call("POST", "/api/v1/worklist", WorklistAnswer, _given(limit=limit, after=after, **filters))

    @staticmethod
    def _model() -> _Call[ModelCard]:
        return _Call("GET", "/api/v1/model", ModelCard)


class Client(_Calls):
    """The synchronous client.

    Parameters
    ----------
    url : str
        Address of the service; https, unless it is on this machine.
    key : str
        A key from ``onroll keys create``, or a token of the identity provider.
    timeout : float
        Seconds to wait for one answer.
    retry : Retry, optional
    sleep : callable, optional
        Called with the seconds to wait.
    transport : httpx2.BaseTransport, optional

    Raises
    ------
    RequestRefused
        From every call, when the service answers with a problem that a retry does not solve.
    Unreachable
        From every call, when the service does not answer.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 120.0,
        retry: Retry | None = None,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        super().__init__(url, key, retry or Retry())
        self._sleep = sleep
        self._http = httpx2.Client(timeout=timeout, transport=transport, **self._settings)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def score(self, histories: Mapping[str, Any], as_of: date) -> ScoresAnswer:
        """Score and explain pupils as of a day, from tables of rows, of columns, or of frames.

        Frames of pyarrow, Polars or pandas travel in Arrow's format, which takes less of both sides than JSON.
        """
        return self._ask(self._score(histories, as_of))

    def scores(self, pupil_ids: list[str], as_of: date | None = None) -> ScoresAnswer:
        """Return stored scores of at most 1,000 pupils, by default of the newest day."""
        return self._ask(self._scores(pupil_ids, as_of))

    def worklist(
        self,
        *,
        as_of: date | None = None,
        urn: str | None = None,
        year_group: int | None = None,
        band: str | None = None,
        list_name: str | None = None,
        page: int = 100,
    ) -> Iterator[Score]:
        """Yield the ranked list, page by page; raises 409 if new scores replace the list meanwhile."""
        filters = {"as_of": as_of, "urn": urn, "year_group": year_group, "band": band, "list": list_name}
        after: str | None = None
        while True:
            answer = self.worklist_page(limit=page, after=after, **filters)
            yield from answer.scores
            if (after := answer.next) is None:
                return

    def worklist_page(self, *, limit: int = 50, after: str | None = None, **filters: Any) -> WorklistAnswer:
        """Return one page of the ranked list; ``after`` is ``next`` of the page before, ``filters`` are as for ``worklist``."""
        return self._ask(self._worklist(limit, after, filters))

    def counts(self, by: str = "band", as_of: date | None = None) -> CountsAnswer:
        """Count the list's pupils by ``band``, ``year_group`` or ``urn``; None where a count is suppressed."""
        return self._ask(self._counts(by, as_of))

    def model(self) -> ModelCard:
        """Return the card of the champion."""
        return self._ask(self._model())

    def _ask(self, call: _Call[Answer]) -> Answer:
        attempts = 0
        while True:
            response = self._try(call)
            attempts += 1
            wait = self.retry.wait(attempts, response)
            if wait is None:
                return call.read(response)
            self._sleep(wait)

    def _try(self, call: _Call[Any]) -> httpx2.Response | None:
        try:
            return self._http.request(call.method, call.path, **call.sent())
        except httpx2.TransportError:
            return None


class AsyncClient(_Calls):
    """The asynchronous client; see ``Client`` for parameters, calls and errors."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 120.0,
        retry: Retry | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(url, key, retry or Retry())
        self._sleep = sleep
        self._http = httpx2.AsyncClient(timeout=timeout, transport=transport, **self._settings)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def score(self, histories: Mapping[str, Any], as_of: date) -> ScoresAnswer:
        """Score and explain pupils as of a day, from tables of rows, of columns, or of frames; see ``Client.score``."""
        return await self._ask(self._score(histories, as_of))

    async def scores(self, pupil_ids: list[str], as_of: date | None = None) -> ScoresAnswer:
        """Return stored scores of at most 1,000 pupils, by default of the newest day."""
        return await self._ask(self._scores(pupil_ids, as_of))

    async def worklist(
        self,
        *,
        as_of: date | None = None,
        urn: str | None = None,
        year_group: int | None = None,
        band: str | None = None,
        list_name: str | None = None,
        page: int = 100,
    ) -> AsyncIterator[Score]:
        """Yield the ranked list, page by page; raises 409 if new scores replace the list meanwhile."""
        filters = {"as_of": as_of, "urn": urn, "year_group": year_group, "band": band, "list": list_name}
        after: str | None = None
        while True:
            answer = await self.worklist_page(limit=page, after=after, **filters)
            for score in answer.scores:
                yield score
            if (after := answer.next) is None:
                return

    async def worklist_page(self, *, limit: int = 50, after: str | None = None, **filters: Any) -> WorklistAnswer:
        """Return one page of the ranked list; ``after`` is ``next`` of the page before, ``filters`` are as for ``worklist``."""
        return await self._ask(self._worklist(limit, after, filters))

    async def counts(self, by: str = "band", as_of: date | None = None) -> CountsAnswer:
        """Count the list's pupils by ``band``, ``year_group`` or ``urn``; None where a count is suppressed."""
        return await self._ask(self._counts(by, as_of))

    async def model(self) -> ModelCard:
        """Return the card of the champion."""
        return await self._ask(self._model())

    async def _ask(self, call: _Call[Answer]) -> Answer:
        attempts = 0
        while True:
            response = await self._try(call)
            attempts += 1
            wait = self.retry.wait(attempts, response)
            if wait is None:
                return call.read(response)
            await self._sleep(wait)

    async def _try(self, call: _Call[Any]) -> httpx2.Response | None:
        try:
            return await self._http.request(call.method, call.path, **call.sent())
        except httpx2.TransportError:
            return None


def _given(**body: Any) -> dict[str, Any]:
    return {k: v.isoformat() if isinstance(v, date) else v for k, v in body.items() if v is not None}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
