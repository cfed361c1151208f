"""Development users: they need no secret, so the service must listen on a loopback address."""

from __future__ import annotations

import ipaddress

from starlette.requests import Request

from histories.errors import Fault, Faults
from serving.access.authenticators import bearer
from serving.access.configuration import DevelopmentUser
from serving.http.problems import Problem
from serving.store import Caller


def refuse_elsewhere(host: str | None) -> None:
    """Refuse development users unless the service listens on a loopback address only.

    Raises
    ------
    Faults
        When the address is not loopback, or unknown.
    """
    if not _is_loopback(host):
        do = "Start with 'onroll serve --host 127.0.0.1', or remove the development users from the file."
        raise Faults(Fault("development users need no secret and are only for this machine", "ONROLL_ACCESS", do))


def _is_loopback(host: str | None) -> bool:
    try:
        return host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class DevelopmentUsers:
    """Callers named by ``Authorization: Bearer dev:NAME``."""

    def __init__(self, users: dict[str, DevelopmentUser], host: str | None) -> None:
        refuse_elsewhere(host)
        self.users = users

    def caller(self, request: Request) -> Caller | None:
        """Return a development user."""
        credentials = bearer(request)
        if credentials is None or not credentials.startswith("dev:"):
            return None
        user = self.users.get(credentials.removeprefix("dev:"))
        if user is None:
            raise Problem(401, "There is no such development user.")
        return Caller(credentials, user.role, user.authority, user.urns)
