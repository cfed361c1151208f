"""The inner loops of :mod:`training.explanation.leaf_tables`, compiled by numba and cached on disk.

Every loop adds in the order of the trees and does not depend on the other rows or on the thread, so a row
gets the same bits alone and among a million. The loops release the GIL. The caller brings the threads,
because numba's own pool does not support concurrent callers.
"""

from __future__ import annotations

import numba as nb
import numpy as np

NEARLY_ZERO = float(np.float32(1e-35))  # LightGBM's kZeroThreshold
BLOCK = 256  # rows per block: the tables of a tree stay in the processor's cache


@nb.njit(cache=True, nogil=True)
def shapley(ones, zeros, value, points, weights, before, out):
    """Write the Shapley values of one leaf for one pattern of satisfied conditions into ``out``.

    A leaf is worth ``value`` times one factor per feature: the condition's outcome (``ones``, 0 or 1) if the
    feature is in the coalition, else the share of the training data that satisfies it (``zeros``). The
    weighted sum over all orders is the integral over t in (0, 1) of prod(one*t + zero*(1-t)), a polynomial
    that Gauss-Legendre quadrature integrates exactly. All its terms are positive, so nothing cancels.
    """
    m = len(zeros)
    out[:m] = 0.0
    for q in range((m + 1) // 2):
        t, w = points[(m + 1) // 2, q], weights[(m + 1) // 2, q]
        running = w
        for i in range(m):
            before[i] = running
            running *= ones[i] * t + zeros[i] * (1.0 - t)
        running = 1.0
        for i in range(m - 1, -1, -1):
            out[i] += before[i] * running
            running *= ones[i] * t + zeros[i] * (1.0 - t)
    for i in range(m):
        out[i] *= value * (ones[i] - zeros[i])


@nb.njit(cache=True, nogil=True)
def leaf_table(zeros, value, points, weights):
    """Return the Shapley values of one leaf for all ``2**m`` patterns of its m conditions."""
    m = len(zeros)
    table = np.empty((1 << m, m))
    ones, before = np.empty(m), np.empty(m)
    for pattern in range(1 << m):
        for i in range(m):
            ones[i] = (pattern >> i) & 1
        shapley(ones=ones, zeros=zeros, value=value, points=points, weights=weights, before=before, out=table[pattern])
    return table


@nb.njit(cache=True, nogil=True)
def add_leaf(table, leaf, masks, wants, places):
    """Add a leaf's table to its group's; masks and wants map the group's code to the leaf's conditions."""
    for code in range(table.shape[0]):
        pattern = 0
        for i in range(len(masks)):
            if code & masks[i] == wants[i]:
                pattern |= 1 << i
        for i in range(len(masks)):
            table[code, places[i]] += leaf[pattern, i]


@nb.njit(cache=True, nogil=True)
def goes_left(x, threshold, nan_left, zero_missing, out, n):
    """For n rows, write whether each goes left at a split."""
    if zero_missing:
        for r in range(n):
            if np.isnan(x[r]) or (-NEARLY_ZERO <= x[r] <= NEARLY_ZERO):
                out[r] = nan_left
            else:
                out[r] = x[r] <= threshold
    elif nan_left:
        for r in range(n):
            out[r] = not (x[r] > threshold)
    else:
        for r in range(n):
            out[r] = x[r] <= threshold


@nb.njit(cache=True, nogil=True)
def holds(left, nodes, wants, start, stop, out, n):
    """For n rows, write whether all splits of one condition go the required way."""
    for r in range(n):
        out[r] = left[nodes[start], r] == wants[start]
    for k in range(start + 1, stop):
        for r in range(n):
            out[r] &= left[nodes[k], r] == wants[k]


@nb.njit(cache=True, nogil=True)
def add_groups(groups, first, last, left, held, code, phi, n):
    """Add the groups of one tree for n rows: build a code from the splits' outcomes, then look it up."""
    bit_start, test_start, test_node, test_want, place_start, places, table_start, tables = groups
    for g in range(first, last):
        m = place_start[g + 1] - place_start[g]
        for r in range(n):
            code[r] = 0
        for b in range(bit_start[g], bit_start[g + 1]):
            worth = m << (b - bit_start[g])
            holds(
                left=left, nodes=test_node, wants=test_want, start=test_start[b], stop=test_start[b + 1], out=held, n=n
            )
            for r in range(n):
                code[r] += held[r] * worth
        for j in range(m):
            row = phi[places[place_start[g] + j]]
            table = tables[table_start[g] + j : table_start[g + 1]]
            for r in range(n):
                row[r] += table[code[r]]


@nb.njit(cache=True, nogil=True)
def add_deep(deep, first, last, left, held, phi, n, rule):
    """Add, row by row, the leaves of one tree that have too many conditions for a table."""
    leaf_start, test_start, test_node, test_want, places, zeros, values = deep
    points, weights = rule
    for d in range(first, last):
        start, stop = leaf_start[d], leaf_start[d + 1]
        m = stop - start
        ones = np.empty((m, n))
        before, out, one = np.empty(m), np.empty(m), np.empty(m)
        for i in range(m):
            holds(
                left=left,
                nodes=test_node,
                wants=test_want,
                start=test_start[start + i],
                stop=test_start[start + i + 1],
                out=held,
                n=n,
            )
            for r in range(n):
                ones[i, r] = held[r]
        for r in range(n):
            one[:] = ones[:, r]
            shapley(
                ones=one,
                zeros=zeros[start:stop],
                value=values[d],
                points=points,
                weights=weights,
                before=before,
                out=out,
            )
            for i in range(m):
                phi[places[start + i], r] += out[i]


@nb.njit(cache=True, nogil=True)
def contributions(rows, splits, groups, tree_groups, deep, tree_deep, rule, widest, out):
    """Write the contributions of each feature for each row into ``out`` (rows by features)."""
    node_start, feature, threshold, nan_left, zero_missing = splits
    size = min(BLOCK, len(rows))
    x, phi = np.empty((rows.shape[1], size)), np.empty((rows.shape[1], size))
    left = np.empty((max(widest, 1), size), dtype=np.bool_)
    held, code = np.empty(size, dtype=np.bool_), np.empty(size, dtype=np.int32)
    for begin in range(0, len(rows), size):
        n = min(size, len(rows) - begin)
        phi[:, :] = 0.0
        x[:, :n] = rows[begin : begin + n].T
        for tree in range(len(node_start) - 1):
            for k in range(node_start[tree], node_start[tree + 1]):
                goes_left(
                    x=x[feature[k]],
                    threshold=threshold[k],
                    nan_left=nan_left[k],
                    zero_missing=zero_missing[k],
                    out=left[k - node_start[tree]],
                    n=n,
                )
            add_groups(
                groups=groups,
                first=tree_groups[tree],
                last=tree_groups[tree + 1],
                left=left,
                held=held,
                code=code,
                phi=phi,
                n=n,
            )
            add_deep(
                deep=deep,
                first=tree_deep[tree],
                last=tree_deep[tree + 1],
                left=left,
                held=held,
                phi=phi,
                n=n,
                rule=rule,
            )
        out[begin : begin + n] = phi[:, :n].T


@nb.njit(cache=True, nogil=True)
def margins(rows, splits, children, leaf_start, leaf_value, out):
    """Write the sum of each row's leaves, in the order of the trees, into ``out``."""
    node_start, feature, threshold, nan_left, zero_missing = splits
    lefts, rights = children
    for r in range(len(rows)):
        total = 0.0
        for tree in range(len(node_start) - 1):
            node = 0 if node_start[tree + 1] > node_start[tree] else -1
            while node >= 0:
                k = node_start[tree] + node
                x = rows[r, feature[k]]
                if np.isnan(x) or (zero_missing[k] and -NEARLY_ZERO <= x <= NEARLY_ZERO):
                    goes = nan_left[k]
                else:
                    goes = x <= threshold[k]
                node = lefts[k] if goes else rights[k]
            total += leaf_value[leaf_start[tree] + ~node]
        out[r] = total
