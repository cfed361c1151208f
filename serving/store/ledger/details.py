"""The details of an entry whose code has not been checked: whoever can write to the table can put anything there."""

from __future__ import annotations

import json
from typing import Any


def details_of(text: str | None) -> dict[str, Any]:
    """Return the details; empty if they are none: ``audit verify`` names such an entry, and nothing else may stumble over it."""
    try:
        details = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return details if isinstance(details, dict) else {}
