"""Whether an address is this machine's own, so that what is sent there crosses no network."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str | None) -> bool:
    """Return whether a host is this machine.

    Examples
    --------
    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "localhost.example", None)]
    [True, True, True, False, False]
    """
    try:
        return host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_private_in_transit(address: str) -> bool:
    """Return whether nobody can read or change what is sent to an address: https, or http to this machine.

    Examples
    --------
    >>> [is_private_in_transit(a) for a in ("https://id.example", "http://localhost:1/x", "http://id.example", "ftp://::1")]
    [True, True, False, False]
    >>> [is_private_in_transit(a) for a in ("https://[::1/x", "https://id.example:99999/x", "https:///x")]
    [False, False, False]
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return (parts.scheme == "https" and bool(host)) or (parts.scheme == "http" and is_loopback(host))
