"""Access: a bearer key on every call, and what its role may do."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request

from serving.problems import Problem
from serving.store import Caller

IDENTITIES = ("worker", "lead", "administrator")  # roles that see children
EVERYONE = (*IDENTITIES, "analyst")


def allowed(*roles: str) -> Callable[[Request], Caller]:
    """Return the dependency that lets only some roles in."""

    def check(request: Request) -> Caller:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        caller = request.app.state.store.caller(key.strip()) if scheme.lower() == "bearer" and key.strip() else None
        if caller is None:
            raise Problem(401, "Send 'Authorization: Bearer KEY' with a key that is neither expired nor revoked.")
        if caller.role not in roles:
            raise Problem(403, "The role of this key does not see children.")
        return caller

    return check
