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


def sums(counts: Mapping[str, int], within: Mapping[str, str]) -> dict[str, int]:
    """Return counts with the sums of broader values and of all.

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
    """Name the values to hide in a table of one group whose total is printed.

    Parameters
    ----------
    counts : mapping
        Count by value; the values share out the total.
    within : mapping, optional
        For values that are parts of a broader one, its name; the broader count is printed too and is their sum.
    high : mapping, optional
        The most that a reader could think a count is.
    sensitive : iterable, optional
        Values to hide whatever their count.

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
    within, high, whole = within or {}, high or {}, sums(counts, within or {})
    cells = [
        Cell(name=v, tail=within.get(v, "root"), head="sink", value=n, high=high.get(v, MANY))
        for v, n in counts.items()
    ]
    for broad in whole.keys() - counts.keys() - {ALL}:
        most = sum(high.get(v, MANY) for v in counts if within.get(v) == broad)
        cells.append(Cell(name=broad, tail="root", head=broad, value=whole[broad], high=most))
    # Many tables share one total, so no single table may hide it unless it is too small itself.
    total = Cell(name=ALL, tail="sink", head="root", value=whole[ALL], fixed=whole[ALL] > SMALLEST)
    return hide([*cells, total], SMALLEST, sensitive)


def cross(
    counts: Mapping[tuple[str, str], int],
    *,
    high: Mapping[tuple[str, str], int] | None = None,
    sensitive: Iterable[Hashable] = (),
    printed: Iterable[Hashable] = (),
) -> set[Hashable]:
    """Name the cells to hide in a table of two groups with its row totals, column totals and grand total.

    Parameters
    ----------
    counts : mapping
        Count by pair of values; pairs that are not there cannot occur.
    high, sensitive
        As in ``partition``.
    printed : iterable, optional
        Totals that are printed elsewhere: ``(row, "all")``, ``("all", column)``, ``("all", "all")``.

    Returns
    -------
    set
        Pairs, with ``all`` in the place of a value in totals.

    Examples
    --------
    >>> sorted(cross({("a", "f"): 3, ("a", "m"): 20, ("b", "f"): 40, ("b", "m"): 50}))
    [('a', 'f'), ('a', 'm'), ('b', 'f'), ('b', 'm')]
    """
    high, known = high or {}, set(printed)
    row: dict[str, int] = {}
    column: dict[str, int] = {}
    for (r, c), n in counts.items():
        row[r], column[c] = row.get(r, 0) + n, column.get(c, 0) + n
    cells = [
        Cell(name=(r, c), tail=("row", r), head=("column", c), value=n, high=high.get((r, c), MANY))
        for (r, c), n in counts.items()
    ]
    cells += [
        Cell(name=(r, ALL), tail="root", head=("row", r), value=n, fixed=(r, ALL) in known) for r, n in row.items()
    ]
    cells += [
        Cell(name=(ALL, c), tail=("column", c), head="sink", value=n, fixed=(ALL, c) in known)
        for c, n in column.items()
    ]
    whole = sum(row.values())
    return hide(
        [*cells, Cell(name=(ALL, ALL), tail="sink", head="root", value=whole, fixed=whole > SMALLEST)],
        SMALLEST,
        sensitive,
    )
