"""Disclosure control: which counts may be printed without revealing a handful of children.

1. A count of 7 or fewer is hidden, including zero.
2. Further counts are hidden so that no hidden count can be derived from totals: a reader who knows every printed count exactly
   must be left with a range of more than 7 for each hidden one (see ``suppression.py``).
3. Printed counts are rounded to 5, and every rate, ratio and interval is computed from printed counts.

Printed tables show ``[c]`` for hidden counts and ``[x]`` for figures that cannot be computed, as government statistics do. Tables
that overlap in other ways than a total, a broader value or a pair of groups are protected by rounding only.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

from features.groups.suppression import MANY, Cell, hide

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


def shown(count: int) -> int | None:
    """Return a count as it may be shown by itself: rounded, or None if it is small.

    Examples
    --------
    >>> [shown(n) for n in (0, 7, 8, 33)]
    [None, None, 10, 35]
    """
    return rounded(count) if count > SMALLEST else None


def sums(counts: Mapping[str, int], within: Mapping[str, str]) -> dict[str, int]:
    """Add the sums of broader values and the total to counts.

    Examples
    --------
    >>> sums({"none": 900, "support": 60, "plan": 4}, {"support": "any", "plan": "any"})
    {'none': 900, 'support': 60, 'plan': 4, 'any': 64, 'all': 964}
    """
    broader = dict.fromkeys(within[v] for v in counts if v in within)
    parts = {b: sum(n for v, n in counts.items() if within.get(v) == b) for b in broader}
    return {**counts, **parts, ALL: sum(counts.values())}


def partition(
    counts: Mapping[str, int],
    within: Mapping[str, str] | None = None,
    *,
    high: Mapping[str, int] | None = None,
    sensitive: Iterable[Hashable] = (),
) -> set[Hashable]:
    """Return the values to hide in a table of one group with a printed total.

    Parameters
    ----------
    counts : mapping
        Count by value; the values partition the total.
    within : mapping, optional
        The broader value of each value that has one; broader counts are printed too.
    high : mapping, optional
        Upper bounds of counts known to a reader.
    sensitive : iterable, optional
        Values to hide whatever their count.

    Returns
    -------
    set
        Values, broader values, and ``all`` if the total itself is too small.

    Examples
    --------
    >>> sorted(partition({"a": 3, "b": 20, "c": 90}))
    ['a', 'b']
    >>> sorted(partition({"none": 900, "support": 60, "plan": 4}, {"support": "any", "plan": "any"}))
    ['plan', 'support']
    """
    within, high, whole = within or {}, high or {}, sums(counts, within or {})
    cells = [
        Cell(name=v, tail=within.get(v, "root"), head="sink", value=n, high=high.get(v, MANY))
        for v, n in counts.items()
    ]
    for broad in whole.keys() - counts.keys() - {ALL}:
        most = sum(high.get(v, MANY) for v in counts if within.get(v) == broad)
        cells.append(Cell(name=broad, tail="root", head=broad, value=whole[broad], high=most))
    # Many tables share one total; a single table may hide it only if it is too small itself.
    total = Cell(name=ALL, tail="sink", head="root", value=whole[ALL], fixed=whole[ALL] > SMALLEST)
    return hide([*cells, total], SMALLEST, sensitive)


def cross(
    counts: Mapping[tuple[str, str], int],
    *,
    high: Mapping[tuple[str, str], int] | None = None,
    sensitive: Iterable[Hashable] = (),
    printed: Iterable[Hashable] = (),
) -> set[Hashable]:
    """Return the cells to hide in a table of two groups with row totals, column totals and a grand total.

    Parameters
    ----------
    counts : mapping
        Count by pair of values; absent pairs cannot occur.
    high, sensitive
        As in ``partition``.
    printed : iterable, optional
        Totals printed elsewhere: ``(row, "all")``, ``("all", column)``, ``("all", "all")``.

    Returns
    -------
    set
        Pairs; totals have ``all`` instead of a value.

    Examples
    --------
    >>> sorted(cross({("a", "f"): 3, ("a", "m"): 20, ("b", "f"): 40, ("b", "m"): 50}))
    [('a', 'f'), ('a', 'm'), ('b', 'f'), ('b', 'm')]
    """
    high, fixed = high or {}, set(printed)
    row: dict[str, int] = {}
    column: dict[str, int] = {}
    for (r, c), n in counts.items():
        row[r], column[c] = row.get(r, 0) + n, column.get(c, 0) + n
    cells = [
        Cell(name=(r, c), tail=("row", r), head=("column", c), value=n, high=high.get((r, c), MANY))
        for (r, c), n in counts.items()
    ]
    cells += [
        Cell(name=(r, ALL), tail="root", head=("row", r), value=n, fixed=(r, ALL) in fixed) for r, n in row.items()
    ]
    cells += [
        Cell(name=(ALL, c), tail=("column", c), head="sink", value=n, fixed=(ALL, c) in fixed)
        for c, n in column.items()
    ]
    whole = sum(row.values())
    return hide(
        [*cells, Cell(name=(ALL, ALL), tail="sink", head="root", value=whole, fixed=whole > SMALLEST)],
        SMALLEST,
        sensitive,
    )
