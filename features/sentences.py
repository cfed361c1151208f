"""Sentences about a feature: the template of a declaration, filled in with a child's values."""

from __future__ import annotations

import re
from collections.abc import Mapping

PLURAL = re.compile(r"\b(\d+)( [a-z ]+)\(s\)")  # `time(s)` in a declaration agrees with its number
FIELD = re.compile(r"\{[^}]*\}")


def filled(template: str, values: Mapping[str, float | None]) -> str | None:
    """Return a sentence with its values, or None when one of them is missing.

    Examples
    --------
    >>> filled("Moved {moves:.0f} time(s)", {"moves": 2.0})
    'Moved 2 times'
    >>> filled("Moved {moves:.0f} time(s)", {"moves": None}) is None
    True
    """
    present = {name: value for name, value in values.items() if value is not None}
    try:
        sentence = template.format(**present)
    except (KeyError, ValueError):
        return None
    return PLURAL.sub(lambda m: f"{m[1]}{m[2]}{'' if m[1] == '1' else 's'}", sentence)


def unfilled(template: str) -> str:
    """Return a sentence with its values left open.

    Examples
    --------
    >>> unfilled("Missed {absent_rate_90d:.0%} of sessions")
    'Missed … of sessions'
    """
    return FIELD.sub("…", template)
