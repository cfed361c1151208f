"""Signing in at the identity provider: OpenID Connect's authorisation code flow with PKCE, for the pages.

The ID token comes from the provider to the service, never through the browser, and is verified as every other token
(``serving.access.tokens``): the same keys, issuer, algorithm, claims and rights; its audience is this client.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit, urlunsplit

import httpx2

from serving.access.attempt import Attempt
from serving.access.authenticators import CredentialRefused
from serving.access.configuration import Configuration
from serving.access.fetched import FAILURES, Fetched, answer_of, as_object
from serving.access.loopback import is_private_in_transit
from serving.access.places import Places, WaitingRoom
from serving.access.sign_in_settings import SignInSettings
from serving.access.tokens import INVALID, Tokens
from serving.http.problems import Problem
from serving.store import Caller
from serving.store.sign_in.shown_name import shown_name

log = logging.getLogger("onroll.access")
DISCOVERY = "/.well-known/openid-configuration"
NO_ANSWER = "The identity provider does not answer as it should."


@dataclass(frozen=True)
class Endpoints:
    """Where the provider signs people in, redeems codes and signs people out; ``names_itself``: its answers carry ``iss``."""

    authorization: str
    token: str
    end_session: str | None = None
    names_itself: bool = False


class Provider:
    """The identity provider at which people sign in to the pages.

    Parameters
    ----------
    settings : SignInSettings
    configuration : Configuration
    tokens : Tokens
        Verifies the tokens of the HTTP interface; ID tokens are verified with its keys and rights.

    Raises
    ------
    Faults
        When the client's secret cannot be used.
    """

    def __init__(self, settings: SignInSettings, configuration: Configuration, tokens: Tokens) -> None:
        self.settings, self.issuer = settings, tokens.settings.issuer
        self._secret = settings.secret(configuration.folder)
        self.id_tokens = tokens.for_client(settings.client_id, settings.requires)
        self.places, self.waiting_room = Places(), WaitingRoom()
        self._configured: Endpoints | None = None
        if settings.authorization_endpoint and settings.token_endpoint:
            self._configured = Endpoints(settings.authorization_endpoint, settings.token_endpoint)
        address = self.issuer.rstrip("/") + DISCOVERY
        self._discovered = Fetched(address, partial(_endpoints, issuer=self.issuer), "discovery document")

    def endpoints(self) -> Endpoints:
        """Return the provider's endpoints; the first call may wait for the discovery document.

        Raises
        ------
        Problem
            503 while they are not known.
        """
        endpoints = self._configured or self._discovered.get()
        if endpoints is None:
            raise Problem(503, NO_ANSWER, headers={"Retry-After": "30"})
        return endpoints

    async def settled(self) -> None:
        """Wait, in no thread, until ``endpoints`` will not wait."""
        if self._configured is None:
            await self._discovered.settled()

    async def ready(self) -> None:
        """Wait, in no thread, until the provider's documents are known, or known not to come: before a place is taken."""
        await self.settled()
        await self.id_tokens.signing_keys.settled()

    def address(self, attempt: Attempt, key: bytes) -> str:
        """Return where the browser goes to sign in."""
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.settings.redirect_uri,
            "scope": " ".join(self.settings.scopes),
            "state": attempt.state(key),
            "nonce": attempt.nonce(key),
            "code_challenge": attempt.challenge(key),
            "code_challenge_method": "S256",
        }
        if self.id_tokens.settings.signed_in_hours is not None:  # obliges the provider to say when (claim auth_time)
            query["max_age"] = str(int(self.id_tokens.settings.signed_in_hours * 3600))
        return _with_query(self.endpoints().authorization, query)

    def sign_out_address(self) -> str | None:
        """Return where people sign out at the provider too, or None; may wait for the discovery document.

        A document that is too old for signing in still tells where to sign out.
        """
        end_session = self.settings.end_session_endpoint
        if not end_session and is_private_in_transit(self.issuer):
            endpoints = self._discovered.get() or self._discovered.last()
            end_session = endpoints.end_session if endpoints else None
        return _with_query(end_session, {"client_id": self.settings.client_id}) if end_session else None

    async def redeem(self, code: str, issuer: str | None, attempt: Attempt, key: bytes) -> tuple[Caller, str]:
        """Redeem a code, and return who signed in and their name; the calling code holds one of ``places``.

        The provider has ``fetched.FETCH_SECONDS`` to answer, and no thread waits for it. Where the discovery document or the keys are
        not known yet, all requests wait for the same attempt to fetch them.

        Parameters
        ----------
        code : str
        issuer : str or None
            Which provider the answer says it is from (RFC 9207).
        attempt : Attempt
        key : bytes

        Raises
        ------
        Problem
            401 when the provider's token does not hold, 403 when it gives no rights, 503 while the provider does not answer.
        """
        await self.settled()
        endpoints = await asyncio.to_thread(self.endpoints)
        self._must_be_from_it(issuer, endpoints)
        token = await self._id_token(endpoints.token, code, attempt.verifier(key))
        await self.id_tokens.settled(token)
        return await asyncio.to_thread(self._person, token, attempt.nonce(key))

    def _must_be_from_it(self, issuer: str | None, endpoints: Endpoints) -> None:
        """Refuse the code of another provider (mix-up); one that names itself in its answers always does."""
        if issuer != self.issuer if issuer is not None else endpoints.names_itself:
            raise CredentialRefused(INVALID, "invalid")

    async def _id_token(self, endpoint: str, code: str, verifier: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.settings.redirect_uri,
            "code_verifier": verifier,
        }
        auth = None
        if self._secret is not None and self.settings.client_authentication == "basic":
            auth = (quote_plus(self.settings.client_id), quote_plus(self._secret))  # RFC 6749, 2.3.1
        else:
            form["client_id"] = self.settings.client_id
            form |= {"client_secret": self._secret} if self._secret is not None else {}
        try:
            token = as_object(await answer_of("POST", endpoint, form, auth)).get("id_token")
        except (*FAILURES, ValueError) as error:
            # Its name only: a message may hold the address, the code or a token.
            status = error.response.status_code if isinstance(error, httpx2.HTTPStatusError) else None
            log.warning("the identity provider did not redeem a code: %s", status or type(error).__name__)
            if status == 400:  # the code was used, is too old, or was another client's
                raise CredentialRefused(NO_ANSWER, "invalid") from None
            raise Problem(503, NO_ANSWER, headers={"Retry-After": "30"}) from None
        if not isinstance(token, str) or token.count(".") != 2:
            log.warning("the identity provider's answer holds no ID token")
            raise Problem(503, NO_ANSWER, headers={"Retry-After": "30"})
        return token

    def _person(self, token: str, nonce: str) -> tuple[Caller, str]:
        caller, claims = self.id_tokens.holder(token, partial(_belongs_to, nonce=nonce))
        account = caller.key_id.partition(":")[2]
        names = (claims.get(claim) for claim in (self.settings.name_claim, "name", "preferred_username"))
        return caller, next((name for name in map(shown_name, names) if name), account)


def _belongs_to(claims: dict[str, Any], nonce: str) -> None:
    """Refuse an ID token of another attempt."""
    named = claims.get("nonce")
    if not isinstance(named, str) or not hmac.compare_digest(named.encode("utf-8", "replace"), nonce.encode()):
        raise CredentialRefused(INVALID, "invalid")


def _endpoints(document: bytes, issuer: str) -> Endpoints:
    """Return the endpoints of a discovery document, which must be the issuer's own and reached without eavesdroppers."""
    fields = as_object(document)
    methods = fields.get("code_challenge_methods_supported")
    authorization, token, end_session = (
        fields.get(f"{name}_endpoint") for name in ("authorization", "token", "end_session")
    )
    if fields.get("issuer") != issuer:
        raise ValueError("the document is another issuer's")
    if methods is not None and (not isinstance(methods, list) or "S256" not in methods):
        raise ValueError("the provider does not know PKCE's S256")
    if not all(isinstance(a, str) and is_private_in_transit(a) for a in (authorization, token)):
        raise ValueError("an endpoint is missing, or its address is not https")
    private = isinstance(end_session, str) and is_private_in_transit(end_session)
    names_itself = fields.get("authorization_response_iss_parameter_supported") is True
    return Endpoints(str(authorization), str(token), end_session if private else None, names_itself)


def _with_query(address: str, query: dict[str, str]) -> str:
    parts = urlsplit(address)
    others = [(name, value) for name, value in parse_qsl(parts.query) if name not in query]
    return urlunsplit(parts._replace(query=urlencode([*others, *query.items()])))
