"""The interface of every way in, and the first way: keys of ``onroll keys``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from starlette.requests import Request

from serving.http.problems import Problem
from serving.store import Caller, Store


class Authenticator(Protocol):
    """One way in."""

    def caller(self, request: Request) -> Caller | None:
        """Return who calls, or None when the request carries nothing of this kind.

        Raises
        ------
        Problem
            When it carries something of this kind that does not hold; no other way is asked then.
        """
        ...


def first(ways: Iterable[Authenticator], request: Request) -> Caller | None:
    """Return who the first way that knows says is calling, or None."""
    return next((c for way in ways if (c := way.caller(request)) is not None), None)


def only(request: Request, header: str) -> str | None:
    """Return a header's value; a header that is sent twice is refused, since each side could read another of them."""
    found = request.headers.getlist(header)
    if len(found) > 1:
        raise Problem(400, "A header that says who calls was sent twice.")
    return found[0].strip() if found else None


def bearer(request: Request) -> str | None:
    """Return what a request carries as a bearer, or None."""
    scheme, _, carried = (only(request, "authorization") or "").partition(" ")
    return carried.strip() if scheme.lower() == "bearer" and carried.strip() else None


class KeyAuthenticator:
    """Keys of ``onroll keys``, kept as hashes in the store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def caller(self, request: Request) -> Caller | None:
        """Return whose key it is."""
        key = bearer(request)
        if key is None or not key.startswith("onroll_"):
            return None
        caller = self.store.caller(key)
        if caller is None:
            raise Problem(401, "The key is unknown, expired or revoked.")
        return caller
