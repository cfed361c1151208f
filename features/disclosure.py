"""Disclosure control: which counts may be printed, so that nobody learns about a handful of children.

1. A count of 7 or fewer is hidden, zero included.
2. Another count is hidden wherever the first could be worked out from totals: who knows every printed count exactly must still be
   left with a range of more than 7 for each hidden one (``suppression.py`` says how that is made sure of).
3. What is printed is rounded to 5, and every rate, ratio and interval is computed from what is printed.

Printed tables show ``[c]`` for hidden counts and ``[x]`` for what cannot be computed, as statistics of the government do. Tables that
overlap in other ways than a total, a broader value or a pair of groups are kept apart by rounding only.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from features.suppression import MANY, Cell, hide

SMALLEST = 7  # counts up to this are hidden
BASE = 5  # counts are rounded to a multiple of this
HIDDEN, NOT_AVAILABLE = "[c]", "[x]"
ALL = "all"


def rounded(count: int) -> int:
    """Return a count rounded to the nearest 5.

    Examples
    --------
    >>> [rounded(n) for n in (8, 12, 13)]
    [10, 10, 15]
    """
    return BASE * ((int(count) + BASE // 2) // BASE)


def partition(
    counts: Mapping[str, int], within: Mapping[str, str] | None = None, *, low: Mapping[str, int] | None = None,
    high: Mapping[str, int] | None = None, sensitive: Iterable[Hashable] = (),
) -> set[Hashable]:  # fmt: skip
    """Name the values to hide in a table of one group and its total.

    Parameters
    ----------
    counts : mapping
        Count by value; the values share out the total.
    within : mapping, optional
        For values that are parts of a broader one, its name; the broader count is printed too and is their sum.
    low, high : mapping, optional
        Bounds of each value.

    Returns
    -------
    set
        Names of values, of broader values, and ``all`` when even the total is too small.

    Examples
    --------
    >>> sorted(partition({"a": 3, "b": 20, "c": 90}))
    ['a', 'b']
    >>> sorted(partition({"none": 900, "support": 60, "plan": 4}, {"support": "any", "plan": "any"}))
    ['plan', 'support']
    """
    within, low, high = within or {}, low or {}, high or {}
    cells = [
        Cell(v, within.get(v, "root"), "sink", n, low.get(v, 0), high.get(v, MANY)) for v, n in counts.items()
    ]  # fmt: skip
    for broad in dict.fromkeys(within.values()):
        parts = [v for v in counts if within.get(v) == broad]
        if parts:
            bounds = sum(low.get(v, 0) for v in parts), sum(high.get(v, MANY) for v in parts)
            cells.append(Cell(broad, "root", broad, sum(counts[v] for v in parts), *bounds))
    total = Cell(ALL, "sink", "root", sum(counts.values()))
    return hide([*cells, total], SMALLEST, sensitive)


def cross(
    counts: Mapping[tuple[str, str], int], *, low: Mapping[tuple[str, str], int] | None = None,
    high: Mapping[tuple[str, str], int] | None = None, sensitive: Iterable[Hashable] = (), printed: Iterable[Hashable] = (),
) -> set[Hashable]:  # fmt: skip
    """Name the cells to hide in a table of two groups with its row totals, column totals and grand total.

    Parameters
    ----------
    counts : mapping
        Count by pair of values; pairs that are not there cannot occur.
    printed : iterable
        Names of totals that are printed elsewhere: ``(row, "all")``, ``("all", column)``, ``("all", "all")``.

    Returns
    -------
    set
        Pairs, with ``all`` in the place of a value in totals.
    """
    low, high, out = low or {}, high or {}, set(printed)
    rows, columns = dict.fromkeys(r for r, _ in counts), dict.fromkeys(c for _, c in counts)
    row = {r: sum(n for (a, _), n in counts.items() if a == r) for r in rows}
    column = {c: sum(n for (_, b), n in counts.items() if b == c) for c in columns}
    cells = [
        Cell((r, c), ("row", r), ("column", c), n, low.get((r, c), 0), high.get((r, c), MANY))
        for (r, c), n in counts.items()
    ]
    cells += [Cell((r, ALL), "root", ("row", r), n, fixed=(r, ALL) in out) for r, n in row.items()]
    cells += [Cell((ALL, c), ("column", c), "sink", n, fixed=(ALL, c) in out) for c, n in column.items()]
    total = Cell((ALL, ALL), "sink", "root", sum(row.values()), fixed=(ALL, ALL) in out)
    return hide([*cells, total], SMALLEST, sensitive)
