"""The second way in: tokens that the organisation's identity provider has signed (OpenID Connect, RS256 only)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import jwt
from starlette.requests import Request

from histories.errors import Fault, Faults
from serving.access.authenticators import bearer
from serving.access.configuration import Configuration, TokenSettings
from serving.http.problems import Problem
from serving.store import Caller

REFUSED = "The token is not valid: its signature, issuer, audience or time does not hold."
KEPT, PATIENCE = 600, 5  # seconds that fetched keys are kept, and that fetching them may take


class Signers(Protocol):
    """Finds the key that signed a token."""

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        """Return the key that the token's header names."""
        ...


class KeysInFile:
    """The provider's keys in a JWKS file, read again when the file changes.

    Raises
    ------
    Faults
        When the file holds no keys.
    """

    def __init__(self, file: Path) -> None:
        self.file, self._seen = file, 0
        self._keys: jwt.PyJWKSet | None = None
        try:
            self._read()
        except (OSError, ValueError, jwt.PyJWTError) as error:
            do = "Put the identity provider's JWKS there: a JSON object with a list of keys."
            raise Faults(Fault("the file holds no keys", str(file), do)) from error

    def _read(self) -> jwt.PyJWKSet:
        changed = self.file.stat().st_mtime_ns
        if self._keys is None or changed != self._seen:
            keys = jwt.PyJWKSet.from_dict(json.loads(self.file.read_text("utf-8")))
            self._keys, self._seen = keys, changed
        return self._keys

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        """Return the key that the token's header names."""
        named = jwt.get_unverified_header(token).get("kid")
        try:
            return next(k for k in self._read().keys if k.key_id == named)
        except (OSError, ValueError) as error:
            raise jwt.PyJWKClientConnectionError("the file of keys cannot be read") from error
        except StopIteration:
            raise jwt.PyJWKClientError("no such key") from None


class Tokens:
    """Tokens of one issuer for one audience."""

    def __init__(self, own: TokenSettings, configuration: Configuration) -> None:
        self.own, self.configuration = own, configuration
        remote = own.jwks.startswith(("https://", "http://"))
        self.signers: Signers = (
            jwt.PyJWKClient(own.jwks, lifespan=KEPT, timeout=PATIENCE)
            if remote
            else KeysInFile(configuration.folder / own.jwks)
        )

    def caller(self, request: Request) -> Caller | None:
        """Return whom a token names, with the role and the scope that the configuration gives them."""
        token = bearer(request)
        if token is None or token.count(".") != 2:
            return None
        claims = self._claims(token)
        named = [*_names(claims.get(self.own.roles_claim)), *_names(claims.get(self.own.groups_claim))]
        return self.configuration.caller(f"token:{claims['sub']}", named)

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                self.signers.get_signing_key_from_jwt(token),
                algorithms=["RS256"],
                audience=self.own.audience,
                issuer=self.own.issuer,
                leeway=self.own.leeway_seconds,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWKClientConnectionError:
            # The error's own text would tell where the provider is.
            raise Problem(503, "The keys of the identity provider cannot be had now.") from None
        except (jwt.PyJWTError, ValueError):
            raise Problem(401, REFUSED) from None


def _names(claim: Any) -> list[str]:
    claimed = [claim] if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return [c for c in claimed if isinstance(c, str)]
