"""Tokens signed by the organisation's identity provider (OpenID Connect, RS256 only)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import jwt
from starlette.requests import Request

from histories.errors import Fault, Faults
from serving.access.authenticators import bearer
from serving.access.configuration import Configuration, TokenSettings
from serving.http.problems import Problem
from serving.store import Caller

INVALID = "The token is not valid: check its signature, issuer, audience and times."
KEYS_LIFESPAN, KEYS_TIMEOUT = 600, 5  # seconds to cache fetched keys, and to wait for them


class SigningKeys(Protocol):
    """Finds the key that a token was signed with."""

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        """Return the key that the token's header names."""
        ...


class KeysInFile:
    """The provider's keys in a JWKS file, re-read when the file changes.

    Raises
    ------
    Faults
        When the file has no keys.
    """

    def __init__(self, file: Path) -> None:
        self.file, self._seen = file, 0
        self._keys: jwt.PyJWKSet | None = None
        try:
            self._read()
        except (OSError, ValueError, jwt.PyJWTError) as error:
            do = "Put the identity provider's JWKS there: a JSON object with a list of keys."
            raise Faults(Fault("the file has no keys", str(file), do)) from error

    def _read(self) -> jwt.PyJWKSet:
        changed = self.file.stat().st_mtime_ns
        if self._keys is None or changed != self._seen:
            keys = jwt.PyJWKSet.from_dict(json.loads(self.file.read_text("utf-8")))
            self._keys, self._seen = keys, changed
        return self._keys

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        """Return the key that the token's header names."""
        key_id = jwt.get_unverified_header(token).get("kid")
        try:
            return next(k for k in self._read().keys if k.key_id == key_id)
        except (OSError, ValueError) as error:
            raise jwt.PyJWKClientConnectionError("the key file cannot be read") from error
        except StopIteration:
            raise jwt.PyJWKClientError("no such key") from None


class Tokens:
    """Tokens of one issuer for one audience."""

    def __init__(self, settings: TokenSettings, configuration: Configuration) -> None:
        self.settings, self.configuration = settings, configuration
        remote = settings.jwks.startswith(("https://", "http://"))
        self.signing_keys: SigningKeys = (
            jwt.PyJWKClient(settings.jwks, lifespan=KEYS_LIFESPAN, timeout=KEYS_TIMEOUT)
            if remote
            else KeysInFile(configuration.folder / settings.jwks)
        )

    def caller(self, request: Request) -> Caller | None:
        """Return the caller that a token names, with the role and scope from the configuration."""
        token = bearer(request)
        if token is None or token.count(".") != 2:
            return None
        claims = self._claims(token)
        roles, groups = (_names(claims.get(c)) for c in (self.settings.roles_claim, self.settings.groups_claim))
        return self.configuration.caller("token", claims["sub"], roles, groups)

    def _claims(self, token: str) -> dict[str, Any]:
        claims = self._decoded(token)
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        # A token of several audiences must say who asked for it (OpenID Connect Core, 3.1.3.7).
        asked_by = claims.get("azp", self.settings.audience if len(audiences) == 1 else None)
        lifetime = claims["exp"] - datetime.now(UTC).timestamp()
        if (
            asked_by not in (self.settings.audience, *self.settings.clients)
            or lifetime > self.settings.max_hours * 3600
        ):
            raise Problem(401, INVALID)
        return claims

    def _decoded(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                self.signing_keys.get_signing_key_from_jwt(token),
                algorithms=["RS256"],
                audience=self.settings.audience,
                issuer=self.settings.issuer,
                leeway=self.settings.leeway_seconds,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWKClientConnectionError:
            # The library's message would reveal the provider's address.
            raise Problem(503, "The identity provider's keys are not available now.") from None
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError):
            raise Problem(401, INVALID) from None


def _names(claim: Any) -> list[str]:
    if isinstance(claim, str):
        return [claim]
    return [c for c in claim if isinstance(c, str)] if isinstance(claim, list) else []
