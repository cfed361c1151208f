"""Tokens signed by the organisation's identity provider (OpenID Connect, RS256 only)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jwt
from starlette.requests import Request

from serving.access.authenticators import CredentialRefused, bearer
from serving.access.configuration import ACCOUNT, Configuration, TokenSettings, media_type
from serving.access.current import Rights
from serving.access.signing_keys import KeysAtAddress, KeysInFile, KeysUnavailable, SigningKeys
from serving.http.problems import Problem
from serving.store import Caller

MALFORMED = (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError)  # what reading a token may raise
INVALID = "The token is not valid: check its signature, issuer, audience and times."


class Tokens:
    """Tokens of one issuer for one audience."""

    def __init__(
        self,
        settings: TokenSettings,
        configuration: Configuration,
        rights: Rights | None = None,
        signing_keys: SigningKeys | None = None,
    ) -> None:
        self.settings, self.configuration, self.rights = settings, configuration, rights or configuration
        self.signing_keys: SigningKeys = signing_keys or _keys_of(settings, configuration)

    def for_client(self, client_id: str, requires: dict[str, tuple[str, ...]] | None) -> Tokens:
        """Return what verifies ID tokens for a client: as here, with the client as their only audience.

        Parameters
        ----------
        client_id : str
        requires : dict or None
            Claims in place of those that tokens of the HTTP interface need; None for the same.
        """
        wanted = self.settings.requires if requires is None else requires
        changes: dict[str, Any] = {"audience": client_id, "clients": (), "requires": wanted}
        changes["token_type"] = None  # nosec B105 # the type of a token, and no secret: an ID token is no access token
        settings = self.settings.model_copy(update=changes)
        return Tokens(settings, self.configuration, self.rights, self.signing_keys)

    def caller(self, request: Request) -> Caller | None:
        """Return the caller that a token names, with the role and scope from the configuration."""
        token = bearer(request)
        if token is None or token.count(".") != 2:
            return None
        return self.holder(token)[0]

    async def settled(self, token: str) -> None:
        """Wait, in no thread, until the key that a token names is known, or is known not to come; ``holder`` refuses it then."""
        with suppress(*MALFORMED):
            await self.signing_keys.settled(jwt.get_unverified_header(token).get("kid"))

    def holder(
        self, token: str, check: Callable[[dict[str, Any]], None] = lambda _: None
    ) -> tuple[Caller, dict[str, Any]]:
        """Return the caller that a token names, and its claims.

        Parameters
        ----------
        token : str
        check : callable
            Raises ``Problem`` for claims that do not hold; called before they give rights.

        Raises
        ------
        Problem
            When the token does not hold or gives no rights.
        """
        claims = self._claims(token)
        check(claims)
        roles, groups = (_names(claims.get(c)) for c in (self.settings.roles_claim, self.settings.groups_claim))
        caller = self.rights.caller("token", claims["sub"], roles, groups)
        until = datetime.fromtimestamp(claims["exp"], UTC)
        return replace(caller, credential=replace(caller.credential, until=until)), claims

    def _claims(self, token: str) -> dict[str, Any]:
        claims = self._decoded(token)
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        # A token with several audiences must name its authorised party (OpenID Connect Core, 3.1.3.7).
        asked_by = claims.get("azp", self.settings.audience if len(audiences) == 1 else None)
        lifetime = claims["exp"] - datetime.now(UTC).timestamp()
        if (
            asked_by not in (self.settings.audience, *self.settings.clients)
            or lifetime > self.settings.max_hours * 3600
        ):
            raise CredentialRefused(INVALID, "invalid")
        if not (self._is_of_the_type(token) and self._signed_in_lately(claims) and self._has_what_is_required(claims)):
            raise CredentialRefused(INVALID, "invalid")
        return claims

    def _is_of_the_type(self, token: str) -> bool:
        """Return whether the header names the type that is set: an ID token, for example, is no access token."""
        if self.settings.token_type is None:
            return True
        named = jwt.get_unverified_header(token).get("typ")
        return isinstance(named, str) and media_type(named) == media_type(self.settings.token_type)

    def _signed_in_lately(self, claims: dict[str, Any]) -> bool:
        if self.settings.signed_in_hours is None:
            return True
        signed_in = claims.get("auth_time")
        if isinstance(signed_in, bool) or not isinstance(signed_in, int | float):
            return False
        age = datetime.now(UTC).timestamp() - signed_in
        return -self.settings.leeway_seconds <= age <= self.settings.signed_in_hours * 3600

    def _has_what_is_required(self, claims: dict[str, Any]) -> bool:
        """Return whether each required claim has one of its values; a text may hold several, as ``scope`` does."""
        return all(
            {part for name in _names(claims.get(claim)) for part in (name, *name.split(" "))} & set(values)
            for claim, values in self.settings.requires.items()
        )

    def _decoded(self, token: str) -> dict[str, Any]:
        try:
            key = self.signing_keys.find(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                raise CredentialRefused(INVALID, "unknown")
            return self._verified(token, key)
        except jwt.ExpiredSignatureError:
            raise CredentialRefused(INVALID, "expired", self._holder_of_expired(token, key)) from None
        except KeysUnavailable:
            again = {"Retry-After": "5"}
            raise Problem(503, "The identity provider's keys are not available now.", headers=again) from None
        except MALFORMED:
            raise CredentialRefused(INVALID, "invalid") from None

    def _holder_of_expired(self, token: str, key: jwt.PyJWK | None) -> Caller | None:
        """Return whose an expired token was: its signature holds, so the audit may say it."""
        try:
            account = self._verified(token, key, expired=True)["sub"] if key else ""
        except (jwt.PyJWTError, TypeError):
            return None
        return Caller(f"token:{account}", "nobody", None) if ACCOUNT.fullmatch(account) else None

    def _verified(self, token: str, key: jwt.PyJWK, *, expired: bool = False) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=self.settings.audience,
            issuer=self.settings.issuer,
            leeway=self.settings.leeway_seconds,
            options={"require": ["exp", "iat", "iss", "aud", "sub"], "verify_exp": not expired},
        )


def _keys_of(settings: TokenSettings, configuration: Configuration) -> SigningKeys:
    remote = settings.jwks.startswith(("https://", "http://"))
    return KeysAtAddress(settings.jwks) if remote else KeysInFile(configuration.folder / settings.jwks)


def _names(claim: Any) -> list[str]:
    if isinstance(claim, str):
        return [claim]
    return [c for c in claim if isinstance(c, str)] if isinstance(claim, list) else []
