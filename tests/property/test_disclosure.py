"""No hidden count can be derived, from exact totals or by a reader who knows the rule and the rounding."""

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import linprog

from features.groups.disclosure import ALL, BASE, SMALLEST, cross, partition, rounded
from training.evaluation.fairness import hide_layers
from training.evaluation.fairness_report import COUNTS

counts = st.one_of(st.integers(0, 12), st.integers(0, 60))
LETTERS = "abcdef"
TREE = {"c": "broad", "d": "broad", "e": "other", "f": "other"}


def totals(table, within):
    broad = {b: sum(n for v, n in table.items() if within.get(v) == b) for b in within.values()}
    broad = {b: n for b, n in broad.items() if any(within.get(v) == b for v in table)}
    return {**table, **broad, ALL: sum(table.values())}


def equations(names, sums):
    """Return A and b of A x = b: each sum less its parts is zero."""
    at = {n: i for i, n in enumerate(names)}
    rows = np.zeros((len(sums), len(names)))
    for row, (whole, parts) in zip(rows, sums, strict=True):
        row[at[whole]] = -1
        row[[at[p] for p in parts]] = 1
    return rows, np.zeros(len(sums))


def ranges(values, sums, out):
    """Return the range of each hidden count for a reader who knows every printed one exactly (linear programming)."""
    names = list(values)
    a, b = equations(names, sums)
    bounds = [(0, None) if n in out else (values[n], values[n]) for n in names]
    by_name = {}
    for name in out:
        goal = np.zeros(len(names))
        goal[names.index(name)] = 1
        least, most = (linprog(s * goal, A_eq=a, b_eq=b, bounds=bounds) for s in (1, -1))
        by_name[name] = (round(least.fun), np.inf if most.status == 3 else round(-most.fun))
    return by_name


def sums_of(table, within):
    broad = {b: [v for v in table if within.get(v) == b] for b in within.values()}
    broad = {b: parts for b, parts in broad.items() if parts}
    return [*broad.items(), (ALL, [v for v in table if v not in within] + list(broad))]


@pytest.mark.parametrize("within", [{}, TREE])
@given(st.lists(counts, min_size=1, max_size=6))
def test_exact_totals_leave_a_wide_range_for_every_hidden_count(within, values):
    table = dict(zip(LETTERS, values, strict=False))
    out, whole = partition(table, within), totals(table, within)
    assert {n for n, v in whole.items() if v <= SMALLEST} <= out
    for low, high in ranges(whole, sums_of(table, within), out).values():
        assert high - low > SMALLEST


@given(st.lists(st.lists(counts, min_size=3, max_size=3), min_size=2, max_size=4))
def test_the_totals_of_a_table_of_two_groups_leave_a_wide_range(rows):
    table = {(LETTERS[r], str(c)): n for r, row in enumerate(rows) for c, n in enumerate(row)}
    row_names, column_names = sorted({r for r, _ in table}), sorted({c for _, c in table})
    whole = dict(table)
    sums = []
    for r in row_names:
        sums.append(((r, ALL), [(r, c) for c in column_names]))
    for c in column_names:
        sums.append(((ALL, c), [(r, c) for r in row_names]))
    sums.append(((ALL, ALL), [(r, ALL) for r in row_names]))
    for name, parts in sums:
        whole[name] = sum(whole[p] for p in parts)
    out = cross(table)
    assert {n for n, v in whole.items() if v <= SMALLEST} <= out
    for low, high in ranges(whole, sums, out).values():
        assert high - low > SMALLEST


def printed(table):
    out = partition(table)
    return {n: None if n in out else rounded(v) for n, v in totals(table, {}).items()}


@given(st.lists(counts, min_size=2, max_size=4))
def test_a_reader_who_knows_the_rule_and_the_rounding_cannot_derive_a_hidden_count(values):
    table = dict(zip(LETTERS, values, strict=False))
    seen = printed(table)
    for name in (n for n in table if seen[n] is None):
        # Look for a table that prints the same with another count in this cell; the other cells change little.
        others = [n for n in table if n != name]
        steps = product(range(-9, 10), *(range(-4, 5) if seen[n] is None else range(-2, 3) for n in others))
        tables = (
            {name: table[name] + first, **{n: table[n] + s for n, s in zip(others, rest, strict=True)}}
            for first, *rest in sorted(steps, key=lambda s: sum(abs(x) for x in s))
            if first
        )
        assert any(min(t.values()) >= 0 and printed({n: t[n] for n in table}) == seen for t in tables), (
            f"{name} can be derived"
        )


@st.composite
def audits(draw):
    """Make the counts of an audit: found within missing and within listed, all within children."""
    cells = []
    for _ in range(draw(st.integers(2, 4))):
        parts = [draw(st.one_of(st.integers(0, 9), st.integers(8, 60))) for _ in range(3)]
        cells.append((*parts, draw(st.one_of(st.integers(0, 9), st.integers(30, 900)))))
    return {
        LETTERS[n]: {"children": t + p + w + rest, "missing": t + p, "listed": t + w, "found": t}
        for n, (t, p, w, rest) in enumerate(cells)
    }


# Nearly all missing children were listed, which bounds the children found from above.
@example(
    {
        "a": {"children": 883, "missing": 45, "listed": 56, "found": 44},
        "b": {"children": 158, "missing": 58, "listed": 54, "found": 54},
    }
)
@given(audits())
def test_no_count_of_an_audit_follows_from_the_others(cells):
    # All four counts together: a reader knows every printed count exactly, and which counts lie within others.
    layers = {c: {v: n[c] for v, n in cells.items()} for c in COUNTS}
    out = hide_layers(layers, lambda layer, counts, **bounds_of_others: partition(counts, **bounds_of_others))
    names = [(c, v) for c in COUNTS for v in cells]
    at = {n: i for i, n in enumerate(names)}
    equal, less = [], []
    for c in COUNTS:
        if sum(layers[c].values()) > SMALLEST:
            equal.append((np.isin(range(len(names)), [at[c, v] for v in cells]).astype(float), sum(layers[c].values())))
    for v in cells:
        for signs in ((0, -1, 0, 1), (0, 0, -1, 1), (-1, 1, 1, -1)):
            row = np.zeros(len(names))
            row[[at[c, v] for c in COUNTS]] = signs
            less.append(row)
    bounds = [(0, None) if v in out[c] else (layers[c][v],) * 2 for c, v in names]
    a, b = np.array([r for r, _ in equal]).reshape(-1, len(names)), [t for _, t in equal]
    for c, v in names:
        assert (v in out[c]) or layers[c][v] > SMALLEST
        if v in out[c]:
            goal = np.zeros(len(names))
            goal[at[c, v]] = 1
            low, high = (
                linprog(s * goal, A_ub=np.array(less), b_ub=np.zeros(len(less)), A_eq=a, b_eq=b, bounds=bounds)
                for s in (1, -1)
            )
            # If one count bounds another on both sides, the range can be slightly narrower than in a single table.
            assert high.status == 3 or -high.fun - low.fun > BASE - 1.5


def test_hiding_only_small_counts_would_reveal_them():
    table = {"a": 3, "b": 20, "c": 90}
    assert ranges(totals(table, {}), sums_of(table, {}), {"a"}) == {"a": (3, 3)}
    assert partition(table) == {"a", "b"}


def test_no_more_is_hidden_than_necessary():
    assert partition({"a": 30, "b": 20, "c": 90}) == set()
    assert partition({"a": 3, "b": 7, "c": 90}) == {"a", "b"}
    assert partition({"a": 0, "b": 0, "c": 90, "d": 50}) == {"a", "b", "d"}
    assert partition({"no": 900, "k": 60, "e": 4}, {"k": "any", "e": "any"}) == {"k", "e"}
    assert partition({"a": 2, "b": 3}) == {"a", "b", ALL}
