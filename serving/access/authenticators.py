"""The interface of authenticators, and the first of them: keys of ``onroll keys``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from starlette.requests import Request

from serving.http.problems import Problem
from serving.store import Caller, Store


class CredentialRefused(Problem):
    """Credentials that are not valid (401): the answer does not say why, the audit and the log do.

    Attributes
    ----------
    reason : {"unknown", "revoked", "expired", "closed", "invalid"}
    caller : Caller or None
        Whose credentials they were, if that is certain.
    """

    def __init__(self, detail: str, reason: str, caller: Caller | None = None) -> None:
        super().__init__(401, detail)
        self.reason, self.caller = reason, caller


class RightsRefused(Problem):
    """Credentials that are valid, and give no rights (403).

    Attributes
    ----------
    caller : Caller
        Whose credentials they are, for the audit.
    """

    def __init__(self, detail: str, caller: Caller) -> None:
        super().__init__(403, detail)
        self.caller = caller


class Authenticator(Protocol):
    """Turns a request into a caller."""

    def caller(self, request: Request) -> Caller | None:
        """Return the caller, or None when the request carries no credentials of this kind.

        Raises
        ------
        Problem
            When the credentials are not valid; no other authenticator is tried.
        """
        ...


def authenticate(authenticators: Iterable[Authenticator], request: Request) -> Caller | None:
    """Return the caller that the first authenticator with credentials names, or None."""
    callers = (authenticator.caller(request) for authenticator in authenticators)
    return next((caller for caller in callers if caller is not None), None)


def single_header(request: Request, name: str) -> str | None:
    """Return a header's value; refuse a repeated header, since a proxy and this service could each read a different one."""
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise Problem(400, "A header with credentials was sent twice.")
    return values[0].strip() if values else None


def bearer(request: Request) -> str | None:
    """Return the bearer credentials of a request, or None."""
    scheme, _, credentials = (single_header(request, "authorization") or "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" and credentials.strip() else None


class KeyAuthenticator:
    """Keys of ``onroll keys``, stored as hashes."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def caller(self, request: Request) -> Caller | None:
        """Return the holder of the key."""
        key = bearer(request)
        if key is None or not key.startswith("onroll_"):
            return None
        caller = self.store.caller(key)
        if caller is None:
            reason, holder = self.store.why_refused(key)
            raise CredentialRefused("The key is unknown, expired or revoked.", reason, holder)
        return caller


class OpenAccounts:
    """Refuses the people of another authenticator whose account was closed, however long their token is still valid.

    Parameters
    ----------
    authenticator : Authenticator
    store : Store
    """

    def __init__(self, authenticator: Authenticator, store: Store) -> None:
        self.authenticator, self.store = authenticator, store

    def caller(self, request: Request) -> Caller | None:
        """Return the caller that the authenticator names."""
        caller = self.authenticator.caller(request)
        if caller is not None and self.store.is_closed(caller.key_id):
            raise CredentialRefused("The account is closed.", "closed", caller)
        return caller
