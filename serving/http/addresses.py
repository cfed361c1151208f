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


def network_of(address: str | None) -> str:
    """Return what limits count as one address: of IPv6 the whole network of a connection, which has 2^64 addresses.

    Examples
    --------
    >>> network_of("192.0.2.7"), network_of("2001:db8::1:2"), network_of("fe80::1%eth0")
    ('192.0.2.7', '2001:db8::/64', 'fe80::/64')
    >>> network_of("::ffff:192.0.2.7"), network_of(None), network_of("testclient")
    ('192.0.2.7', '', 'testclient')
    """
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def request_id_of(scope: Any) -> str:
    """Return the id that the caller chose, if it is harmless, or a new one."""
    ids = [value for name, value in scope["headers"] if name == b"x-request-id"]
    return ids[0].decode() if len(ids) == 1 and SAFE_ID.fullmatch(ids[0]) else secrets.token_hex(16)
