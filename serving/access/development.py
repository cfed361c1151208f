"""Development users: they need no secret, so the service must listen on a loopback address."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from starlette.requests import Request

from histories.errors import Fault, Faults
from serving.access.authenticators import bearer
from serving.access.configuration import DevelopmentUser
from serving.access.loopback import is_loopback
from serving.http.problems import Problem
from serving.store import Caller

FORWARDED = re.compile(
    r"x-forwarded-.*|x-original-.*|x-envoy-.*|forwarded|via|x-real-ip|x-client-ip|true-client-ip|cf-.*"
)


def refuse_elsewhere(host: str | None, allowed: bool) -> None:
    """Refuse development users unless they were asked for and the service listens on a loopback address only.

    Parameters
    ----------
    host : str or None
        The address the service listens on.
    allowed : bool
        Whether the flag was given.

    Raises
    ------
    Faults
        When the flag was not given, or the address is not loopback or unknown.
    """
    faults = []
    if not allowed:
        do = "Start with 'onroll serve --development', or remove the development users from the file."
        faults.append(Fault("development users need no secret and must be asked for", "ONROLL_ACCESS", do))
    if not is_loopback(host):
        do = "Start with 'onroll serve --host 127.0.0.1', or remove the development users from the file."
        faults.append(Fault("development users need no secret and are only for this machine", "ONROLL_ACCESS", do))
    if faults:
        raise Faults(faults)


def refuse_forwarded(request: Request) -> None:
    """Refuse a request from another machine, through a proxy, or for another host, where there are development users.

    Raises
    ------
    Problem
        403.
    """
    forwarded = any(FORWARDED.fullmatch(name.lower()) for name in request.headers)
    if forwarded or not is_loopback(request.url.hostname) or not _is_direct(request):
        raise Problem(403, "The service runs with development users, for direct requests on this machine only.")


def _is_direct(request: Request) -> bool:
    """Return whether a request comes from this machine, and not in the old protocol that only proxies still speak."""
    return (
        request.client is not None and is_loopback(request.client.host) and request.scope.get("http_version") != "1.0"
    )


class DevelopmentUsers:
    """Callers named by ``Authorization: Bearer dev:NAME``."""

    def __init__(self, users: Callable[[], dict[str, DevelopmentUser]], host: str | None) -> None:
        refuse_elsewhere(host, os.environ.get("ONROLL_DEVELOPMENT") == "1")
        self.users = users

    def caller(self, request: Request) -> Caller | None:
        """Return a development user."""
        credentials = bearer(request)
        if credentials is None or not credentials.startswith("dev:"):
            return None
        user = self.users().get(credentials.removeprefix("dev:"))
        if user is None:
            raise Problem(401, "There is no such development user.")
        return Caller(credentials, user.role, user.authority, user.urns, names=user.names)
