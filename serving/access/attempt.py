"""One attempt to sign in at the provider: what the browser must bring back, and what proves that this service began it.

The browser holds a signed cookie with a random id, a time and where to go afterwards. State, nonce and PKCE's verifier are codes
over it under a key that only the service has: nothing else need be kept, and the cookie alone tells none of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from serving.access.sessions import cookie_flags, is_local

MAX_SECONDS = 600  # from the start of an attempt to its end
MAX_COOKIE = 1000  # characters


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """An attempt to sign in.

    Attributes
    ----------
    id : str
        256 random bits.
    began : int
        Unix time.
    to : str
        The local path to show afterwards.
    before : str
        The digest of the session that the browser had, which ends with the sign-in; or "".
    """

    id: str
    began: int
    to: str
    before: str

    @classmethod
    def new(cls, to: str, before: str, now: float | None = None) -> Attempt:
        """Return an attempt that begins now."""
        return cls(id=secrets.token_urlsafe(32), began=int(now or time.time()), to=to, before=before)

    def _code(self, key: bytes, purpose: str) -> str:
        signed = json.dumps([purpose, self.id, self.began, self.to, self.before])
        return _base64(hmac.digest(key, signed.encode(), "sha256"))

    def state(self, key: bytes) -> str:
        """Return what the provider's answer must repeat."""
        return self._code(key, "state")

    def nonce(self, key: bytes) -> str:
        """Return what the ID token must repeat."""
        return self._code(key, "nonce")

    def verifier(self, key: bytes) -> str:
        """Return PKCE's code verifier: only who knows it can redeem the code (RFC 7636)."""
        return self._code(key, "verifier")

    def challenge(self, key: bytes) -> str:
        """Return PKCE's code challenge, by S256."""
        return _base64(hashlib.sha256(self.verifier(key).encode()).digest())

    def cookie(self, key: bytes) -> str:
        """Return the signed cookie."""
        content = _base64(json.dumps([self.id, self.began, self.to, self.before]).encode())
        return f"{content}.{self._code(key, 'cookie')}"

    @classmethod
    def of(cls, cookie: str, key: bytes, now: float | None = None) -> Attempt | None:
        """Return the attempt of a cookie, or None when this service did not sign it or it is too old.

        Examples
        --------
        >>> attempt = Attempt.new("/work-list", "", now=1000)
        >>> Attempt.of(attempt.cookie(b"key"), b"key", now=1000) == attempt
        True
        >>> Attempt.of(attempt.cookie(b"key"), b"another", now=1000), Attempt.of(attempt.cookie(b"key"), b"key", now=1601)
        (None, None)
        """
        content, _, code = cookie.partition(".")
        try:
            if len(cookie) > MAX_COOKIE:
                return None
            identity, began, to, before = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
            attempt = cls(id=identity, began=began, to=to, before=before)
            if not hmac.compare_digest(attempt._code(key, "cookie").encode(), code.encode()):
                return None
        except (ValueError, TypeError, RecursionError):
            return None
        return attempt if (now or time.time()) - began <= MAX_SECONDS else None


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _cookie_name(request: Request) -> str:
    return "onroll-sign-in" if is_local(request) else "__Host-onroll-sign-in"


def read_cookie(request: Request, keys: Iterable[bytes]) -> tuple[Attempt, bytes] | None:
    """Return the attempt that the browser holds and the key that signed it, or None."""
    cookie = request.cookies.get(_cookie_name(request), "")
    attempts = ((Attempt.of(cookie, key), key) for key in keys)
    return next(((attempt, key) for attempt, key in attempts if attempt), None)


def has_cookie(request: Request) -> bool:
    """Return whether the browser sends such a cookie, valid or not."""
    return _cookie_name(request) in request.cookies


def set_cookie(request: Request, response: Response, attempt: Attempt, key: bytes) -> None:
    """Set the cookie. ``lax``: the browser sends it when the provider leads back here, and with nothing else of another site."""
    response.set_cookie(_cookie_name(request), attempt.cookie(key), max_age=MAX_SECONDS, **cookie_flags(request, "lax"))


def delete_cookie(request: Request, response: Response) -> None:
    """Delete the cookie."""
    response.delete_cookie(_cookie_name(request), **cookie_flags(request, "lax"))
