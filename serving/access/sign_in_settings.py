"""The section [sign_in] of the access file: signing in to the pages at the organisation's identity provider."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from histories.errors import Fault, Faults
from histories.io.private_files import readable_by_others
from histories.io.settings_file import SettingsFile
from serving.access.loopback import is_private_in_transit

CALLBACK = "/sign-in/callback"
SCOPE = re.compile(r"[!#-\[\]-~]+")  # RFC 6749, 3.3


class SignInSettings(SettingsFile):
    """The service as a client of the provider; issuer, keys and the names of claims are those of [tokens]."""

    client_id: str = Field(min_length=1, pattern=r"^[!-~]+$")
    client_secret_file: str | None = None  # without it, the service is a public client: PKCE only
    client_authentication: Literal["basic", "post"] = "basic"  # how the secret is sent
    redirect_uri: str = Field(min_length=1)  # this service's own address and CALLBACK, as registered at the provider
    authorization_endpoint: str | None = None  # without these two, they come from the issuer's discovery document
    token_endpoint: str | None = None
    end_session_endpoint: str | None = None
    scopes: tuple[str, ...] = ("openid", "profile")
    name_claim: str = Field(default="name", min_length=1)  # what pages call a person
    requires: dict[str, tuple[str, ...]] | None = (
        None  # claims of the ID token, each with one of these values; without it, those of [tokens]
    )

    def faults(self, file: Path) -> Iterator[Fault]:
        """Yield what is wrong with the section, but for its secret."""
        place = f"{file}, sign_in"
        endpoints = ("authorization_endpoint", "token_endpoint")
        given = [name for name in endpoints if getattr(self, name)]
        if len(given) == 1:
            (missing,) = set(endpoints) - set(given)
            do = "Give both, or leave both out: they then come from the issuer's discovery document."
            yield Fault("one endpoint stands alone", f"{place}.{missing}", do)
        for name in (*endpoints, "end_session_endpoint", "redirect_uri"):
            address = getattr(self, name)
            if address and not is_private_in_transit(address):
                do = "Use a whole address with https: a code, a token or a session could be read on the way."
                yield Fault("plain http is allowed on this machine only", f"{place}.{name}", do)
            if address and "#" in address:
                yield Fault("the address has a fragment", f"{place}.{name}", "Leave out what begins with #.")
        if not _is_callback(self.redirect_uri):
            do = f"It is this service's own address and {CALLBACK}, such as https://onroll.example{CALLBACK}."
            yield Fault("the provider would send people elsewhere", f"{place}.redirect_uri", do)
        if "openid" not in self.scopes or not all(SCOPE.fullmatch(scope) for scope in self.scopes):
            do = 'Include "openid", one scope an entry: without it the provider says nothing of who signs in.'
            yield Fault("the scopes ask for no sign-in", f"{place}.scopes", do)

    def secret(self, folder: Path) -> str | None:
        """Return the client's secret; None for a public client.

        Raises
        ------
        Faults
            When the file is missing, empty, or others can read it.
        """
        if self.client_secret_file is None:
            return None
        file = folder / self.client_secret_file
        if fault := readable_by_others(file):
            raise Faults(fault)
        secret = file.read_text("utf-8", "replace").strip() if file.is_file() else ""
        if not secret:
            do = "Put the secret that the provider gave for client_id in it, or leave client_secret_file out for a public client."
            raise Faults(Fault("the client's secret is missing", str(file), do))
        return secret


def _is_callback(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.path == CALLBACK and not parts.query and parts.username is None
