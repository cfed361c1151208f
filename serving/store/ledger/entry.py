"""An entry of the audit before it is appended, and the end of the chain after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# The columns that an entry's code covers, in the order in which they are hashed.
SIGNED = ("seq", "at", "who", "role", "authority", "action", "pupils", "details", "request_id")
REKEYED = "audit.key_changed"  # the action of the entry that names the next key
PRUNED = "audit.pruned"  # of the entry of a removal by retention, which names the last code that it removed


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Who did what to which pupils; pupils appear only as keyed references.

    Attributes
    ----------
    pupils : sequence of str
        References made by ``ChainKey.reference``.
    details : dict
        Counts, versions and days; never a pupil's values.
    """

    who: str
    role: str
    authority: str | None
    action: str
    pupils: Sequence[str]
    details: dict[str, Any]
    request_id: str | None = None


@dataclass(frozen=True)
class End:
    """The last entry of the chain: its number, its code and when it was appended (UTC, ISO 8601)."""

    seq: int
    mac: str
    at: str
