"""The file that ONROLL_ACCESS names: which ways in there are, and what roles and groups mean here."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from histories.errors import Fault, Faults
from histories.io.settings_file import SettingsFile
from histories.io.toml import read_toml
from serving.http.problems import Problem
from serving.store import Caller

Role = Literal["worker", "lead", "analyst", "administrator"]
SHORTEST_SECRET = 32  # characters


class TokenSettings(SettingsFile):
    """Tokens of an identity provider: ``jwks`` is a file beside this one, or an address."""

    issuer: str = Field(min_length=1)
    audience: str = Field(min_length=1)
    jwks: str = Field(min_length=1)
    roles_claim: str = "roles"
    groups_claim: str = "groups"
    leeway_seconds: int = Field(default=30, ge=0, le=300)


class ProxySettings(SettingsFile):
    """A trusted proxy: the file with the secret that it shares, and the headers that it sets."""

    secret_file: str
    secret_header: str = "X-Onroll-Proxy-Secret"
    user_header: str = "X-Forwarded-User"
    groups_header: str = "X-Forwarded-Groups"


class StaffGroup(SettingsFile):
    """Whose pupils the members of a group may see; without schools all of the authority's."""

    authority: str = Field(min_length=1)
    urns: tuple[str, ...] = ()
    locality: str | None = None


class DevelopmentUser(SettingsFile):
    """A made-up user of development."""

    role: Role
    authority: str | None = None
    urns: tuple[str, ...] = ()


class Limits(SettingsFile):
    """How often each caller may call, over all workers."""

    per_second: float = Field(default=200, gt=0, allow_inf_nan=False)
    burst: int = Field(default=400, ge=1)


class Configuration(SettingsFile):
    """Everything in the file; without a file there are keys and nothing else."""

    folder: Path = Path()
    keys: bool = True
    tokens: TokenSettings | None = None
    proxy: ProxySettings | None = None
    roles: dict[str, Role] = Field(default_factory=dict)
    groups: dict[str, StaffGroup] = Field(default_factory=dict)
    localities: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    limits: Limits = Limits()
    development: dict[str, DevelopmentUser] = Field(default_factory=dict)

    @classmethod
    def load(cls, file: Path | None) -> Configuration:
        """Read the file, or the defaults when there is none.

        Raises
        ------
        Faults
            With everything that is wrong in it.
        """
        if file is None:
            return cls()
        do = "See docs/access.md for what may be there."
        made = cls.of({**read_toml(file), "folder": file.parent}, file, do)
        faults = list(made._faults(file))
        if faults:
            raise Faults(faults)
        return made

    def _faults(self, file: Path) -> Iterable[Fault]:
        for name, group in self.groups.items():
            if group.locality is not None and group.locality not in self.localities:
                do = "Name its schools under [localities]."
                yield Fault("there is no such locality", f"{file}, groups.{name}.locality", do)
        for name, user in self.development.items():
            if user.role != "administrator" and not user.authority:
                yield Fault(
                    "the role needs an authority", f"{file}, development.{name}", "Say whose pupils it may see."
                )
        for name, schools in self.localities.items():
            if not schools:
                yield Fault("the locality has no school", f"{file}, localities.{name}", "Name its schools.")
        if (self.tokens or self.proxy) and not self.roles:
            yield Fault("no role is given to anybody", f"{file}, roles", "Map names of roles or groups to roles.")
        if self.tokens and self.tokens.jwks.startswith("http://") and not _near(self.tokens.jwks):
            do = "Use https, or a file: whoever can change the keys on their way can make any token."
            yield Fault("keys over plain http are only for this machine", f"{file}, tokens.jwks", do)
        if self.proxy:
            try:
                self.secret(self.proxy)
            except Faults as found:
                yield from found.faults

    def secret(self, proxy: ProxySettings) -> bytes:
        """Return the secret that the proxy shares.

        Raises
        ------
        Faults
            When there is none, or it is short enough to be guessed.
        """
        file = self.folder / proxy.secret_file
        secret = file.read_bytes().strip() if file.is_file() else b""
        if len(secret) < SHORTEST_SECRET:
            do = f"Put at least {SHORTEST_SECRET} random characters there, such as 'openssl rand -hex 32' makes."
            raise Faults(Fault("the proxy's secret is missing or short", str(file), do))
        return secret

    def caller(self, who: str, names: list[str]) -> Caller:
        """Return a caller by the names of the roles and groups that a token or a proxy gives.

        Raises
        ------
        Problem
            When the names do not give exactly one role and, but for an administrator, exactly one authority: a person who is
            two things is not guessed to be either.
        """
        roles = {self.roles[n] for n in names if n in self.roles}
        groups = [self.groups[n] for n in names if n in self.groups]
        authorities = {g.authority for g in groups}
        if len(roles) != 1:
            raise Problem(403, f"The account has {len(roles) or 'no'} roles of onroll; it needs exactly one.")
        (role,) = roles
        if len(authorities) > 1 or (not authorities and role != "administrator"):
            found = len(authorities) or "no"
            raise Problem(403, f"The account belongs to {found} authorities of onroll; it needs exactly one.")
        schools = [self._schools(g) for g in groups]
        urns = sorted(set().union(*schools)) if all(schools) else []
        return Caller(who, role, next(iter(authorities), None), tuple(urns))

    def _schools(self, group: StaffGroup) -> set[str]:
        return {*group.urns, *(self.localities[group.locality] if group.locality else ())}


def _near(address: str) -> bool:
    host: Any = urlsplit(address).hostname
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
