"""The identity provider's public keys, from a file or from an address; a slow provider holds up no request."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import httpx2
import jwt

from histories.errors import Fault, Faults

log = logging.getLogger("onroll.access")
FETCH_SECONDS = 3.0  # for the whole answer of the provider
COOLDOWN = 30.0  # seconds from one attempt to the next, whatever came of the first
LIFESPAN = 600.0  # seconds until keys are fetched again
MAX_AGE = 3600.0  # seconds after which keys are no longer used: the provider may have withdrawn one
MAX_BYTES = 1024 * 1024  # of the provider's answer


class KeysUnavailable(Exception):
    """The provider's keys are not available."""


class SigningKeys(Protocol):
    """Finds the key that a token was signed with."""

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key, or None if the provider has none of this name.

        Raises
        ------
        KeysUnavailable
            If the provider's keys are not available.
        """
        ...


class KeysInFile:
    """The provider's keys in a JWKS file, re-read when the file changes.

    Raises
    ------
    Faults
        When the file has no keys.
    """

    def __init__(self, file: Path) -> None:
        self.file, self._modified = file, 0
        self._keys: dict[str | None, jwt.PyJWK] = {}
        try:
            self._read()
        except (OSError, ValueError, jwt.PyJWTError) as error:
            do = "Put the identity provider's JWKS there: a JSON object with a list of keys."
            raise Faults(Fault("the file has no keys", str(file), do)) from error

    def _read(self) -> dict[str | None, jwt.PyJWK]:
        modified = self.file.stat().st_mtime_ns
        if modified != self._modified:
            self._keys, self._modified = _by_id(self.file.read_bytes()), modified
        return self._keys

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key of a token's header."""
        try:
            return self._read().get(key_id)
        except (OSError, ValueError, jwt.PyJWTError) as error:
            raise KeysUnavailable from error


class KeysAtAddress:
    """The provider's keys at an address, fetched in the background, one attempt at a time.

    Only the request that starts an attempt waits for it, and no attempt starts within ``COOLDOWN`` of the one before: tokens
    with unknown keys cannot make the service ask again and again.

    Parameters
    ----------
    address : str
    clock : callable
        A monotonic clock, in seconds.
    """

    def __init__(self, address: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.address, self.clock = address, clock
        self._lock = threading.Lock()
        self._keys: dict[str | None, jwt.PyJWK] | None = None
        self._fetched_at = self._attempted_at = float("-inf")

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key of a token's header; old keys are used while new ones are fetched."""
        keys = self._known()
        if keys is None or key_id not in keys:
            attempt = self._attempt()
            if attempt is not None:
                attempt.join(FETCH_SECONDS + 1)
            keys = self._known()
        elif self.clock() - self._fetched_at > LIFESPAN:
            self._attempt()
        if keys is None:
            raise KeysUnavailable
        return keys.get(key_id)

    def _known(self) -> dict[str | None, jwt.PyJWK] | None:
        return self._keys if self.clock() - self._fetched_at <= MAX_AGE else None

    def _attempt(self) -> threading.Thread | None:
        """Start to fetch, unless the last attempt is too recent."""
        with self._lock:
            now = self.clock()
            if now - self._attempted_at < COOLDOWN:
                return None
            self._attempted_at = now
        thread = threading.Thread(target=self._fetch, name="signing-keys", daemon=True)
        thread.start()
        return thread

    def _fetch(self) -> None:
        try:
            keys = _by_id(asyncio.run(_read(self.address)))
        except (TimeoutError, OSError, httpx2.HTTPError, httpx2.InvalidURL, ValueError, jwt.PyJWTError) as error:
            log.warning("the identity provider's keys could not be fetched: %s", type(error).__name__)
            return
        self._keys, self._fetched_at = keys, self.clock()


async def _read(address: str) -> bytes:
    """Return the provider's answer, within ``FETCH_SECONDS`` however slowly it comes."""
    parts = []
    async with (
        asyncio.timeout(FETCH_SECONDS),
        httpx2.AsyncClient(timeout=FETCH_SECONDS, follow_redirects=False) as client,
        client.stream("GET", address) as answer,
    ):
        answer.raise_for_status()
        async for part in answer.aiter_bytes():
            parts.append(part)
            if sum(map(len, parts)) > MAX_BYTES:
                raise ValueError("the answer is too large")
    return b"".join(parts)


def _by_id(document: bytes) -> dict[str | None, jwt.PyJWK]:
    return {key.key_id: key for key in jwt.PyJWKSet.from_dict(json.loads(document)).keys}
