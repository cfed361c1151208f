"""Places for codes that one worker redeems at the identity provider, and for requests that wait: few at a time, and fewer of one address.

Anybody can send codes, and each costs a question to the provider and a write. So a request first takes a place, for which it waits
a little while; one address can hold only some of the places, and gets new ones at a steady rate. What waits is not counted as work
(``serving.http.work``), so its number is limited here.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from serving.access.rate_limit import Buckets
from serving.http.addresses import network_of
from serving.http.problems import Problem

MAX_AT_ONCE, MAX_AT_ONCE_OF_ADDRESS = 8, 4  # places
MAX_WAITING, MAX_WAITING_OF_ADDRESS = 16, 8  # requests that wait: for a place, and as many for the provider's documents
WAIT_SECONDS = 5.0
PER_SECOND, BURST = 1.0, 60  # codes of one address


class Busy(Problem):
    """No place is free, or the address sent too many codes; the provider was not asked, and the answer is not taken."""

    def __init__(self, seconds: float) -> None:
        wait = {"Retry-After": str(math.ceil(seconds))}
        super().__init__(503, "Many people are signing in; try again.", headers=wait)


class WaitingRoom:
    """The requests that wait for the same thing."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], str] = {}

    @contextmanager
    def seat(self, address: str | None) -> Iterator[asyncio.Future[None]]:
        """Be one of the few that wait; the future is done when waiting may have an end.

        Raises
        ------
        Busy
            When too many wait already.
        """
        network, waiting = network_of(address), list(self._waiting.values())
        if len(waiting) >= MAX_WAITING or waiting.count(network) >= MAX_WAITING_OF_ADDRESS:
            raise Busy(WAIT_SECONDS)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[turn] = network
        try:
            yield turn
        finally:
            del self._waiting[turn]


class Places(WaitingRoom):
    """The places of one worker."""

    def __init__(self) -> None:
        super().__init__()
        self._taken: Counter[str] = Counter()
        self._rates = Buckets(PER_SECOND, BURST)

    @asynccontextmanager
    async def place(self, address: str | None) -> AsyncIterator[None]:
        """Hold a place, once one is free.

        Parameters
        ----------
        address : str or None
            Where the request comes from.

        Raises
        ------
        Busy
            When none becomes free in time, or the address sent too many codes.
        """
        network = network_of(address)
        if seconds := self._rates.wait(network):
            raise Busy(seconds)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not self._is_free(network):
                    with self.seat(address) as turn:
                        await turn
        except TimeoutError:
            raise Busy(WAIT_SECONDS) from None
        self._taken[network] += 1
        try:
            yield
        finally:
            self._taken[network] -= 1
            self._taken += Counter()  # forgets addresses without a place
            for turn in self._waiting:
                if not turn.done():
                    turn.set_result(None)

    def _is_free(self, network: str) -> bool:
        return self._taken.total() < MAX_AT_ONCE and self._taken[network] < MAX_AT_ONCE_OF_ADDRESS
