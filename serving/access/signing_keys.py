"""The identity provider's public keys, from a file or from an address; a slow provider holds up no request."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import jwt

from histories.errors import Fault, Faults
from histories.io.private_files import untrusted
from serving.access.fetched import Fetched, as_object


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

    async def settled(self, *key_ids: str | None) -> None:
        """Wait, in no thread, until ``find`` will not wait for these keys; without one, until any are known."""
        ...


class KeysInFile:
    """The provider's keys in a JWKS file, re-read when the file changes.

    Raises
    ------
    Faults
        When the file has no keys, or others could change it.
    """

    def __init__(self, file: Path) -> None:
        self.file, self._modified = file, 0
        self._keys: dict[str | None, jwt.PyJWK] = {}
        try:
            self._read()
        except (OSError, ValueError) as error:
            do = "Put the identity provider's JWKS there: a JSON object with a list of keys."
            raise Faults(Fault("the file has no keys", str(file), do)) from error

    def _read(self) -> dict[str | None, jwt.PyJWK]:
        modified = self.file.stat().st_mtime_ns
        if modified != self._modified:
            if fault := untrusted(self.file):
                raise Faults(fault)
            self._keys, self._modified = _by_id(self.file.read_bytes()), modified
        return self._keys

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key of a token's header."""
        try:
            return self._read().get(key_id)
        except (OSError, ValueError, Faults) as error:
            raise KeysUnavailable from error

    async def settled(self, *key_ids: str | None) -> None:
        """Return at once."""


class KeysAtAddress:
    """The provider's keys at an address, fetched in the background; see ``Fetched``.

    Parameters
    ----------
    address : str
    clock : callable
        A monotonic clock, in seconds.
    """

    def __init__(self, address: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.fetched = Fetched(address, _by_id, "keys", clock)

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key of a token's header; old keys are used while new ones are fetched."""
        keys = self.fetched.get(lambda known: key_id in known)
        if keys is None:
            raise KeysUnavailable
        return keys.get(key_id)

    async def settled(self, *key_ids: str | None) -> None:
        """Wait for an attempt to fetch them, whoever began it."""
        await self.fetched.settled(lambda known: known.keys() >= set(key_ids))


def _by_id(document: bytes) -> dict[str | None, jwt.PyJWK]:
    try:
        return {key.key_id: key for key in jwt.PyJWKSet.from_dict(as_object(document)).keys}
    except jwt.PyJWTError as error:
        raise ValueError("there are no keys") from error
