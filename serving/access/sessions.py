"""The way in to the pages: a cookie that sign-in has given. Only pages ask it, so a cookie opens nothing of the interface."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Sequence
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from serving.access.authenticators import Authenticator, first
from serving.http.problems import Problem
from serving.store import Caller, Store
from serving.store.sign_in.sessions import signed_in

ENDED = "You are signed out. Nothing of what you sent was kept."


class Sessions:
    """Sessions of the store.

    Parameters
    ----------
    store : Store
    idle : timedelta
        A session that was not used for so long has ended.
    others : sequence of Authenticator
        The ways that a request carries by itself, such as a proxy's headers: they must not name somebody else.
    """

    def __init__(self, store: Store, idle: timedelta, others: Sequence[Authenticator] = ()) -> None:
        self.store, self.idle, self.others = store, idle, others

    def caller(self, request: Request) -> Caller | None:
        """Return who is signed in, and put their name into the request's state."""
        secret = cookie(request)
        found = signed_in(self.store.engine, secret, self.idle) if secret else None
        if found is None:
            return None
        caller, name = found
        carried = first(self.others, request)
        if carried is not None and carried != caller:
            raise Problem(401, "Somebody else is signed in on this machine now.")
        request.state.name = name
        return caller


def near(request: Request) -> bool:
    """Tell whether the browser runs on this machine, so that a cookie can do without an encrypted connection."""
    host = request.url.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _named(request: Request) -> str:
    # A browser takes a name with __Host- only over an encrypted connection and from this host alone.
    return "onroll" if near(request) else "__Host-onroll"


def cookie(request: Request) -> str | None:
    """Return the secret that the browser sends, or None."""
    return request.cookies.get(_named(request))


def give(request: Request, response: Response, secret: str) -> None:
    """Let the browser keep a secret until it is closed, out of reach of scripts and of other sites."""
    response.set_cookie(_named(request), secret, path="/", secure=not near(request), httponly=True, samesite="strict")


def take(request: Request, response: Response) -> None:
    """Let the browser forget the secret."""
    response.delete_cookie(_named(request), path="/", secure=not near(request), httponly=True, samesite="strict")


def token(secret: str) -> str:
    """Return what a form of this session carries: a page of another site cannot know it, and it tells nothing of the secret."""
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def holds(secret: str | None, given: str) -> bool:
    """Tell whether a form came from a page of this session."""
    return bool(secret) and hmac.compare_digest(token(secret or "").encode(), given.encode())
