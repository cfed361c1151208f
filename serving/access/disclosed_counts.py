"""Statistical disclosure control of the counts that callers without access to children see."""

from __future__ import annotations

from datetime import date
from typing import Any

from features.groups.disclosure import ALL, partition, rounded


def disclosed(counted: tuple[date, dict[str, int]] | None, by: str) -> dict[str, Any]:
    """Return counts by group and in total, with small counts and counts that would reveal them suppressed, others rounded to 5.

    Examples
    --------
    >>> disclosed((date(2025, 1, 13), {"high": 3, "raised": 21, "usual": 418}), "band")["counts"]
    [{'group': 'high', 'pupils': None}, {'group': 'raised', 'pupils': None}, {'group': 'usual', 'pupils': 420}]
    """
    day, counts = counted or (None, {})
    suppressed = partition(counts)

    def shown(name: str, n: int) -> int | None:
        return None if name in suppressed else rounded(n)

    return {
        "as_of": day,
        "by": by,
        "counts": [{"group": g, "pupils": shown(g, n)} for g, n in counts.items()],
        "all": shown(ALL, sum(counts.values())),
    }
