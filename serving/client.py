"""A typed client of the interface, sync and async: waits when it is told to wait, and turns pages by itself.

Examples
--------
>>> with Client("http://127.0.0.1:3000", key="onroll_…") as onroll:  # doctest: +SKIP
...     for score in onroll.worklist(urn="100001"):
...         print(score.rank, score.band, score.reasons[0].sentence)

Neither its errors nor its log lines hold an identifier, a key or anything else that was sent or received.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from serving.http.schemas import CountsAnswer, ModelCard, ProblemAnswer, ScoresAnswer, WorklistAnswer
from training.explanation.score import Score

Answer = TypeVar("Answer", bound=BaseModel)
WAIT = (429, 503)  # statuses after which the same request may be sent again: every call only reads


class RequestRefused(Exception):
    """The service answered with a problem.

    Attributes
    ----------
    status : int
    title, detail : str
    errors : list of InvalidPart
        What is wrong with which part of what was sent.
    request_id : str or None
        What to tell whoever runs the service.
    """

    def __init__(self, problem: ProblemAnswer) -> None:
        super().__init__(f"{problem.status} {problem.title}. {problem.detail}")
        self.status, self.title, self.detail = problem.status, problem.title, problem.detail
        self.errors, self.request_id = problem.errors or [], problem.request_id


class Unreachable(Exception):
    """The service did not answer, or something else answered in its place."""


@dataclass(frozen=True, kw_only=True)
class Retry:
    """When a request is sent again.

    Attributes
    ----------
    most : int
        How often a request is sent in all.
    first, longest : float
        Seconds to wait after the first failure, doubled after each further one, and the most that is ever waited. A service
        that asks for a longer wait is not asked again.
    jitter : callable
        A number from 0 to 1 by which half of a wait is shortened, so that clients do not come back all at once.
    now : callable
        The time, for waits that the service gives as a time of day.
    """

    most: int = 5
    first: float = 0.5
    longest: float = 60.0
    jitter: Callable[[], float] = random.random
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def wait(self, sent: int, response: httpx2.Response | None) -> float | None:
        """Return how long to wait before a request that was sent so often is sent again, or None when it is not."""
        if sent >= self.most or (response is not None and response.status_code not in WAIT):
            return None
        asked = self._asked(response)
        if asked is not None:
            return asked if asked <= self.longest else None
        return min(self.longest, self.first * 2 ** (sent - 1)) * (1 - self.jitter() / 2)

    def _asked(self, response: httpx2.Response | None) -> float | None:
        text = "" if response is None else response.headers.get("retry-after", "")
        if text.isdecimal():
            return float(text)
        try:
            return max(0.0, (parsedate_to_datetime(text) - self.now()).total_seconds())
        except (ValueError, TypeError):
            return None


@dataclass(frozen=True)
class _Call(Generic[Answer]):
    """One call: what is sent, and what is wanted back."""

    method: str
    path: str
    wanted: type[Answer]
    body: dict[str, Any] | None = None

    def read(self, response: httpx2.Response | None) -> Answer:
        """Return the typed answer, or raise what the service says is wrong."""
        if response is None:
            raise Unreachable("The service cannot be reached.")
        try:
            if response.status_code == 200:
                return self.wanted.model_validate_json(response.content)
            problem = ProblemAnswer.model_validate_json(response.content)
        except ValidationError:
            # Pydantic's own words repeat what it read.
            raise Unreachable(
                f"What answered with {response.status_code} is not the service that was expected."
            ) from None
        raise RequestRefused(problem)


class _Calls:
    """What both clients can ask."""

    def __init__(self, url: str, key: str, retry: Retry) -> None:
        address = httpx2.URL(url)
        if address.scheme != "https" and not _near(address.host):
            raise ValueError("A key goes over https only, but for a service on this machine.")
        self.retry = retry
        self._settings: dict[str, Any] = {"base_url": address, "headers": {"Authorization": f"Bearer {key}"}}

    @staticmethod
    def _score(histories: dict[str, list[dict[str, Any]]], as_of: date) -> _Call[ScoresAnswer]:
        return _Call("POST", "/api/v1/score", ScoresAnswer, {"as_of": as_of.isoformat(), "histories": histories})

    @staticmethod
    def _scores(pupil_ids: list[str], as_of: date | None) -> _Call[ScoresAnswer]:
        return _Call("POST", "/api/v1/scores", ScoresAnswer, _given(pupil_ids=pupil_ids, as_of=as_of))

    @staticmethod
    def _counts(by: str, as_of: date | None) -> _Call[CountsAnswer]:
        return _Call("POST", "/api/v1/counts", CountsAnswer, _given(by=by, as_of=as_of))

    @staticmethod
    def _worklist(page: int, after: str | None, chosen: dict[str, Any]) -> _Call[WorklistAnswer]:
        return _Call("POST", "/api/v1/worklist", WorklistAnswer, _given(limit=page, after=after, **chosen))

    @staticmethod
    def _model() -> _Call[ModelCard]:
        return _Call("GET", "/api/v1/model", ModelCard)


class Client(_Calls):
    """The interface for programs that wait for their answers.

    Parameters
    ----------
    url : str
        Address of the service; https, but for this machine.
    key : str
        A key of ``onroll keys``, or a token of the identity provider.
    timeout : float
        Seconds that one answer may take.
    retry : Retry, optional
    sleep : callable, optional
        Waits for some seconds.
    transport : httpx2.BaseTransport, optional

    Raises
    ------
    RequestRefused
        From every call, when the service answers with a problem that waiting does not mend.
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

    def score(self, histories: dict[str, list[dict[str, Any]]], as_of: date) -> ScoresAnswer:
        """Score and explain pupils by their rows, as of a day."""
        return self._ask(self._score(histories, as_of))

    def scores(self, pupil_ids: list[str], as_of: date | None = None) -> ScoresAnswer:
        """Return stored scores of at most 1,000 pupils, of the newest day unless one is named."""
        return self._ask(self._scores(pupil_ids, as_of))

    def worklist(
        self,
        *,
        as_of: date | None = None,
        urn: str | None = None,
        year_group: int | None = None,
        band: str | None = None,
        page: int = 100,
    ) -> Iterator[Score]:
        """Yield the ranked list from its head on, page by page; 409 when another model scores the pupils meanwhile."""
        chosen, after = {"as_of": as_of, "urn": urn, "year_group": year_group, "band": band}, None
        while True:
            answer = self._ask(self._worklist(page, after, chosen))
            yield from answer.scores
            after = answer.next
            if after is None:
                return

    def counts(self, by: str = "band", as_of: date | None = None) -> CountsAnswer:
        """Count the pupils of the list by ``band``, ``year_group`` or ``urn``; None where a count is hidden."""
        return self._ask(self._counts(by, as_of))

    def model(self) -> ModelCard:
        """Return the card of the model that serves."""
        return self._ask(self._model())

    def _ask(self, call: _Call[Answer]) -> Answer:
        sent = 0
        while True:
            response = self._try(call)
            sent += 1
            wait = self.retry.wait(sent, response)
            if wait is None:
                return call.read(response)
            self._sleep(wait)

    def _try(self, call: _Call[Any]) -> httpx2.Response | None:
        try:
            return self._http.request(call.method, call.path, json=call.body)
        except httpx2.TransportError:
            return None


class AsyncClient(_Calls):
    """The interface for programs that do other things meanwhile; see ``Client`` for parameters, calls and errors."""

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

    async def score(self, histories: dict[str, list[dict[str, Any]]], as_of: date) -> ScoresAnswer:
        """Score and explain pupils by their rows, as of a day."""
        return await self._ask(self._score(histories, as_of))

    async def scores(self, pupil_ids: list[str], as_of: date | None = None) -> ScoresAnswer:
        """Return stored scores of at most 1,000 pupils, of the newest day unless one is named."""
        return await self._ask(self._scores(pupil_ids, as_of))

    async def worklist(
        self,
        *,
        as_of: date | None = None,
        urn: str | None = None,
        year_group: int | None = None,
        band: str | None = None,
        page: int = 100,
    ) -> AsyncIterator[Score]:
        """Yield the ranked list from its head on, page by page; 409 when another model scores the pupils meanwhile."""
        chosen, after = {"as_of": as_of, "urn": urn, "year_group": year_group, "band": band}, None
        while True:
            answer = await self._ask(self._worklist(page, after, chosen))
            for score in answer.scores:
                yield score
            after = answer.next
            if after is None:
                return

    async def counts(self, by: str = "band", as_of: date | None = None) -> CountsAnswer:
        """Count the pupils of the list by ``band``, ``year_group`` or ``urn``; None where a count is hidden."""
        return await self._ask(self._counts(by, as_of))

    async def model(self) -> ModelCard:
        """Return the card of the model that serves."""
        return await self._ask(self._model())

    async def _ask(self, call: _Call[Answer]) -> Answer:
        sent = 0
        while True:
            response = await self._try(call)
            sent += 1
            wait = self.retry.wait(sent, response)
            if wait is None:
                return call.read(response)
            await self._sleep(wait)

    async def _try(self, call: _Call[Any]) -> httpx2.Response | None:
        try:
            return await self._http.request(call.method, call.path, json=call.body)
        except httpx2.TransportError:
            return None


def _given(**body: Any) -> dict[str, Any]:
    return {k: v.isoformat() if isinstance(v, date) else v for k, v in body.items() if v is not None}


def _near(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
