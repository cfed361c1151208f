"""What may be said of counts of pupils to somebody who sees no child."""

from __future__ import annotations

from datetime import date
from typing import Any

from features.groups.disclosure import ALL, partition, rounded


def disclosed(found: tuple[date, dict[str, int]] | None, by: str) -> dict[str, Any]:
    """Return counts by group and in all: small ones, and those that would give one away, hidden; the others rounded to 5.

    Examples
    --------
    >>> disclosed((date(2025, 1, 13), {"high": 3, "raised": 21, "usual": 418}), "band")["counts"]
    [{'group': 'high', 'pupils': None}, {'group': 'raised', 'pupils': None}, {'group': 'usual', 'pupils': 420}]
    """
    day, counts = found or (None, {})
    hidden = partition(counts)
    shown = lambda name, n: None if name in hidden else rounded(n)  # noqa: E731
    return {
        "as_of": day,
        "by": by,
        "counts": [{"group": g, "pupils": shown(g, n)} for g, n in counts.items()],
        "all": shown(ALL, sum(counts.values())),
    }
