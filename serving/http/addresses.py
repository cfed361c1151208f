"""The address that the current request comes from, and its id."""

from __future__ import annotations

import ipaddress
import re
import secrets
from contextvars import ContextVar
from typing import Any

# A caller's request id must not be able to hold a pupil's number: those are shorter, or use other letters.
SAFE_ID = re.compile(rb"[0-9a-f][0-9a-f-]{14,62}[0-9a-f]")
ADDRESS: ContextVar[str | None] = ContextVar("address", default=None)


def note_address(scope: Any) -> None:
    """Keep the address of a request; a proxy that is trusted too widely could pass on any text in its place."""
    try:
        ADDRESS.set(str(ipaddress.ip_address((scope.get("client") or ("", 0))[0])))
    except ValueError:
        ADDRESS.set(None)


def request_id_of(scope: Any) -> str:
    """Return the id that the caller chose, if it is harmless, or a new one."""
    ids = [value for name, value in scope["headers"] if name == b"x-request-id"]
    return ids[0].decode() if len(ids) == 1 and SAFE_ID.fullmatch(ids[0]) else secrets.token_hex(16)
