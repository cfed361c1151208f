"""The third way in: a proxy that has asked who calls, and proves by a shared secret that it is the proxy."""

from __future__ import annotations

import hmac

from starlette.requests import Request

from serving.access.authenticators import only
from serving.access.configuration import Configuration, ProxySettings
from serving.http.problems import Problem
from serving.store import Caller


class TrustedProxy:
    """Headers of a trusted proxy; the address it calls from proves nothing, since a header can change it."""

    def __init__(self, own: ProxySettings, configuration: Configuration) -> None:
        self.own, self.configuration = own, configuration
        self.secret = configuration.secret(own)

    def caller(self, request: Request) -> Caller | None:
        """Return whom the proxy names; without the secret its headers mean nothing."""
        told = only(request, self.own.secret_header)
        user, groups = only(request, self.own.user_header), only(request, self.own.groups_header)
        if told is None:
            return None
        if not hmac.compare_digest(told.encode("latin-1"), self.secret):
            raise Problem(401, "The proxy's secret does not hold.")
        if not user:
            raise Problem(401, "The proxy names no user.")
        return self.configuration.caller(f"proxy:{user}", [g.strip() for g in (groups or "").split(",")])
