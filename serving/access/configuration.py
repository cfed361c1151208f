"""The file that ONROLL_ACCESS names: the authenticators, and the organisation's names of roles and groups."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import Field

from histories.errors import Fault, Faults
from histories.io.private_files import readable_by_others, untrusted
from histories.io.settings_file import SettingsFile
from histories.io.toml import read_toml
from serving.access.authenticators import RightsRefused
from serving.access.loopback import is_private_in_transit
from serving.access.sign_in_settings import SignInSettings
from serving.http.problems import Problem
from serving.roles import Role
from serving.store.caller import Caller, Credential

MIN_SECRET_LENGTH = 32  # characters
ACCOUNT = re.compile(r"[!-~]{1,150}")  # with "token:" before it, it fits the store's columns


def media_type(name: str) -> str:
    """Return the type of a token's header as it is compared."""
    return name.lower().removeprefix("application/")


class TokenSettings(SettingsFile):
    """Tokens of an identity provider; ``jwks`` is a file next to this one, or an address."""

    issuer: str = Field(min_length=1)
    audience: str = Field(min_length=1)
    jwks: str = Field(min_length=1)
    roles_claim: str = "roles"
    groups_claim: str = "groups"
    clients: tuple[str, ...] = ()  # clients that may request tokens, besides the audience itself
    leeway_seconds: int = Field(default=30, ge=0, le=300)
    max_hours: float = Field(default=24, gt=0, allow_inf_nan=False)  # until a token expires
    token_type: str | None = Field(default=None, min_length=1)  # of the token's header, such as at+jwt
    signed_in_hours: float | None = Field(default=None, gt=0, allow_inf_nan=False)  # since the sign-in at the provider
    requires: dict[str, tuple[str, ...]] = Field(default_factory=dict)  # claims, each with one of these values

    def tells_access_tokens(self) -> bool:
        """Return whether the type in a token's header tells an access token from an ID token, which names none or JWT."""
        return self.token_type is not None and media_type(self.token_type) != "jwt"


class ProxySettings(SettingsFile):
    """A trusted proxy: the file with the shared secret, and the headers that the proxy sets."""

    secret_file: str
    secret_header: str = "X-Onroll-Proxy-Secret"
    user_header: str = "X-Forwarded-User"
    groups_header: str = "X-Forwarded-Groups"
    # Without a default: roles that come from groups are somebody's explicit choice.
    roles_header: str = Field(
        min_length=1,
        description="the header with people's roles. If the proxy sends roles and groups in one header, write that one: "
        "whoever may name a group like a role then gives that role",
    )
    name_header: str | None = None  # what the pages call a person; without it, the account
    separator: str = Field(default=",", min_length=1)  # between names; no name may hold it

    def warning(self) -> str | None:
        """Return what to look at when roles and groups come in one header, or None."""
        if self.roles_header.lower() != self.groups_header.lower():
            return None
        return (
            f"[proxy] takes roles and groups from one header, {self.groups_header}: whoever may name a group like a role "
            "under [roles] gives that role. Let the proxy send app roles only there, or roles in a header of their own."
        )


class StaffGroup(SettingsFile):
    """The pupils that a group's members may see; without schools, all of the authority's. ``names``: with personal details."""

    authority: str = Field(min_length=1)
    urns: tuple[str, ...] = ()
    locality: str | None = None
    names: bool = False


class DevelopmentUser(SettingsFile):
    """A development user."""

    role: Role
    authority: str | None = None
    urns: tuple[str, ...] = ()
    names: bool = False


class Limits(SettingsFile):
    """The rate limit of each caller, over all workers."""

    per_second: float = Field(default=200, gt=0, allow_inf_nan=False)
    burst: int = Field(default=400, ge=1)


class Configuration(SettingsFile):
    """The whole file; without a file, keys are the only authenticator."""

    folder: Path = Path()
    keys: bool = True
    tokens: TokenSettings | None = None
    proxy: ProxySettings | None = None
    sign_in: SignInSettings | None = None
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
            With everything that is wrong in it, or if others could change it.
        """
        if file is None:
            return cls()
        if fault := untrusted(file):
            raise Faults(fault)
        do = "See docs/access.md for the settings."
        configuration = cls.of({**read_toml(file), "folder": file.parent}, file, do)
        faults = list(configuration._faults(file))
        if faults:
            raise Faults(faults)
        return configuration

    def _faults(self, file: Path) -> Iterable[Fault]:
        for name, group in self.groups.items():
            if group.locality is not None and group.locality not in self.localities:
                do = "List its schools under [localities]."
                yield Fault("there is no such locality", f"{file}, groups.{name}.locality", do)
        if self.development and (self.tokens or self.proxy or self.sign_in):
            do = "Remove [development], or [tokens], [proxy] and [sign_in]: where people sign in, nobody may come without a secret."
            yield Fault("development users stand beside real ones", f"{file}, development", do)
        for name, user in self.development.items():
            if user.role != "administrator" and not user.authority:
                yield Fault("the role needs an authority", f"{file}, development.{name}", "Set its authority.")
            elif user.urns and not user.authority:
                yield Fault("schools need their authority", f"{file}, development.{name}", "Set the authority.")
        for name, schools in self.localities.items():
            if not schools:
                yield Fault("the locality has no school", f"{file}, localities.{name}", "List its schools.")
        yield from self._faults_of_ways_in(file)

    def _faults_of_ways_in(self, file: Path) -> Iterable[Fault]:
        if (self.tokens or self.proxy) and not self.roles:
            yield Fault("no role is mapped", f"{file}, roles", "Map the organisation's names to roles of onroll.")
        if self.tokens and self.tokens.jwks.startswith("http://") and not is_private_in_transit(self.tokens.jwks):
            do = "Use https, or a file: anyone who can change the keys in transit can forge tokens."
            yield Fault("plain http is allowed from this machine only", f"{file}, tokens.jwks", do)
        if self.proxy:
            try:
                self.secret(self.proxy)
            except Faults as secret:
                yield from secret.faults
        if self.sign_in:
            yield from self._faults_of_sign_in(file, self.sign_in)

    def _faults_of_sign_in(self, file: Path, settings: SignInSettings) -> Iterable[Fault]:
        yield from settings.faults(file)
        if not self.tokens:
            do = "Add [tokens]: its issuer, jwks and claims hold for signing in too."
            yield Fault("signing in needs the provider's tokens", f"{file}, tokens", do)
        elif not settings.token_endpoint and not is_private_in_transit(self.tokens.issuer):
            do = "Use an issuer with https, or name authorization_endpoint and token_endpoint under [sign_in]."
            yield Fault("the discovery document has no private address", f"{file}, tokens.issuer", do)
        elif settings.client_id == self.tokens.audience and not self.tokens.tells_access_tokens():
            do = "Set tokens.token_type to that of access tokens, such as at+jwt, or use another audience: ID tokens would open the HTTP interface without [sign_in] requires."
            yield Fault("an ID token would be an access token", f"{file}, tokens.token_type", do)
        try:
            settings.secret(self.folder)
        except Faults as secret:
            yield from secret.faults

    def secret(self, proxy: ProxySettings) -> bytes:
        """Return the secret shared with the proxy.

        Raises
        ------
        Faults
            When there is none, or it is too short.
        """
        file = self.folder / proxy.secret_file
        if fault := readable_by_others(file):
            raise Faults(fault)
        secret = file.read_bytes().strip() if file.is_file() else b""
        if len(secret) < MIN_SECRET_LENGTH:
            do = f"Put at least {MIN_SECRET_LENGTH} random characters in it, for example from 'openssl rand -hex 32'."
            raise Faults(Fault("the proxy's secret is missing or too short", str(file), do))
        return secret

    def caller(self, kind: str, account: str, roles: Iterable[str], groups: Iterable[str]) -> Caller:
        """Return the caller for the names of roles and groups in a token or a proxy's headers.

        Parameters
        ----------
        kind : str
            ``token`` or ``proxy``.
        account : str
            The identity provider's name of the account.
        roles, groups : iterable of str
            Compared whole. A group never gives a role.

        Raises
        ------
        RightsRefused
            Unless the names give exactly one role and exactly one authority; an administrator may have none.
        """
        if not ACCOUNT.fullmatch(account):
            raise Problem(401, "The name of the account is empty, too long, or has characters that no account has.")
        of_roles, of_groups = (tuple(n for n in roles if n in self.roles), tuple(n for n in groups if n in self.groups))
        named = {self.roles[n] for n in of_roles}
        members = [self.groups[n] for n in of_groups]
        authorities = {g.authority for g in members}
        holder = Caller(f"{kind}:{account}", "nobody", None)
        if len(named) != 1:
            raise RightsRefused(f"The account has {len(named) or 'no'} onroll roles; it needs exactly one.", holder)
        (role,) = named
        if len(authorities) > 1 or (not authorities and role != "administrator"):
            count = len(authorities) or "no"
            raise RightsRefused(f"The account belongs to {count} authorities; it needs exactly one.", holder)
        schools = [self._schools(g) for g in members]
        urns = sorted(set().union(*schools)) if all(schools) else []
        credential = Credential(roles=of_roles, groups=of_groups)
        scope = (next(iter(authorities), None), tuple(urns))
        return Caller(f"{kind}:{account}", role, *scope, credential=credential, names=any(g.names for g in members))

    def _schools(self, group: StaffGroup) -> set[str]:
        return {*group.urns, *(self.localities[group.locality] if group.locality else ())}
