"""Callers authenticated by a trusted proxy, which proves itself with a shared secret."""

from __future__ import annotations

import hmac
import logging

from starlette.requests import Request

from serving.access.authenticators import CredentialRefused, single_header
from serving.access.configuration import Configuration, ProxySettings
from serving.access.current import Rights
from serving.store import Caller
from serving.store.sign_in.shown_name import shown_name

log = logging.getLogger("onroll.access")


class TrustedProxy:
    """Reads the headers of a trusted proxy; its address proves nothing, since a header can change it."""

    def __init__(self, settings: ProxySettings, configuration: Configuration, rights: Rights | None = None) -> None:
        self.settings, self.rights = settings, rights or configuration
        self.secret = configuration.secret(settings)
        if warning := settings.warning():
            log.warning("%s", warning)

    def caller(self, request: Request) -> Caller | None:
        """Return the user that the proxy names; without the secret its headers are ignored.

        The request then carries as ``request.state.shown_as`` what pages call the user; "" without such a header.
        """
        secret = single_header(request, self.settings.secret_header)
        user = single_header(request, self.settings.user_header)
        groups = single_header(request, self.settings.groups_header)
        roles = single_header(request, self.settings.roles_header)
        if secret is None:
            return None
        if not hmac.compare_digest(secret.encode("latin-1"), self.secret):
            raise CredentialRefused("The proxy's secret is wrong.", "invalid")
        if not user:
            raise CredentialRefused("The proxy sent no user.", "invalid")
        caller = self.rights.caller("proxy", user, self._names(roles), self._names(groups))
        request.state.shown_as = self._shown_as(request)
        return caller

    def _shown_as(self, request: Request) -> str:
        """Return the person's name as pages may show it, or ""; a header's bytes are UTF-8, or else Latin-1."""
        name = single_header(request, self.settings.name_header) if self.settings.name_header else None
        try:
            return shown_name((name or "").encode("latin-1").decode())
        except UnicodeDecodeError:
            return shown_name(name)

    def _names(self, header: str | None) -> list[str]:
        return [name.strip() for name in (header or "").split(self.settings.separator)]
