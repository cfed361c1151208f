"""Sessions of the pages: a cookie set at sign-in. Only pages accept it, so it gives no access to the HTTP interface."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, TypedDict

from starlette.requests import Request
from starlette.responses import Response

from serving.access.authenticators import Authenticator, authenticate
from serving.access.current import CurrentAccess
from serving.access.loopback import is_loopback
from serving.http.problems import Problem
from serving.store import Caller, Store
from serving.store.sign_in.sessions import signed_in

ENDED = "You are signed out. Nothing you sent was saved."


class CookieFlags(TypedDict):
    """Flags of a cookie."""

    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax", "strict"]


class Sessions:
    """Authenticates by the session cookie.

    Parameters
    ----------
    store : Store
    idle : timedelta
        Idle time after which a session ends.
    access : CurrentAccess
        Whoever has lost a role or group since the sign-in is signed out.
    others : sequence of Authenticator
        Authenticators of credentials that a request carries anyway, such as a proxy's headers; they must name the same caller.
    """

    def __init__(
        self, store: Store, idle: timedelta, access: CurrentAccess, others: Sequence[Authenticator] = ()
    ) -> None:
        self.store, self.idle, self.access, self.others = store, idle, access, others

    def caller(self, request: Request) -> Caller | None:
        """Return the signed-in caller, and put their name into the request's state."""
        secret = cookie(request)
        session = signed_in(self.store.engine, secret, self.idle) if secret else None
        if session is None:
            return None
        caller, name = session
        other = authenticate(self.others, request)
        if other is not None and other != caller:
            raise Problem(401, "Another user is now signed in on this machine, or your rights have changed.")
        if other is None and not self.access.still_valid(caller):
            raise Problem(401, "Your rights have changed: sign in again.")
        request.state.name = name
        return caller


def is_local(request: Request) -> bool:
    """Return whether the service was addressed as this machine, where the cookie needs no encrypted connection."""
    return is_loopback(request.url.hostname)


def _cookie_name(request: Request) -> str:
    # Browsers accept a __Host- name only over an encrypted connection and from this host alone.
    return "onroll" if is_local(request) else "__Host-onroll"


def cookie(request: Request) -> str | None:
    """Return the secret that the browser sends, or None."""
    return request.cookies.get(_cookie_name(request))


def cookie_flags(request: Request, samesite: Literal["lax", "strict"]) -> CookieFlags:
    """Return the flags of every cookie of this service: not readable by scripts, and sent to this host only."""
    return {"path": "/", "secure": not is_local(request), "httponly": True, "samesite": samesite}


def set_cookie(request: Request, response: Response, secret: str) -> None:
    """Set the session cookie: until the browser closes, not sent from other sites."""
    response.set_cookie(_cookie_name(request), secret, **cookie_flags(request, "strict"))


def delete_cookie(request: Request, response: Response) -> None:
    """Delete the session cookie."""
    response.delete_cookie(_cookie_name(request), **cookie_flags(request, "strict"))


def token(secret: str) -> str:
    """Return the CSRF token for a session's forms: other sites cannot know it, and it does not reveal the secret."""
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def holds(secret: str | None, form_token: str) -> bool:
    """Return whether a form came from a page of this session."""
    return bool(secret) and hmac.compare_digest(token(secret or "").encode(), form_token.encode())
