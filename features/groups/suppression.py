"""Cell suppression: choose the counts to hide so that no small count can be derived from the rest.

The counts of a table form a flow network: a partition flows from a root through its values to a sink, and its total flows back;
in a table of two groups each cell flows from its row to its column. A hidden count can be derived if no other hidden counts form a
cycle with it; the flow around such cycles is the range left to a reader (Fischetti and Salazar 2001 compute the bounds with linear
programs; here they are flows along augmenting paths).
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

MANY = 10**12


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One count of a table.

    Attributes
    ----------
    name : hashable
        Its name.
    tail, head : hashable
        The nodes it flows from and to; flow is conserved at each node.
    value : int
        The true count.
    high : int
        Upper bound known to a reader from other printed figures; the lower bound is 0.
    fixed : bool
        Printed elsewhere, so that hiding it here would protect nothing.
    """

    name: Hashable
    tail: Hashable
    head: Hashable
    value: int
    high: int = MANY
    fixed: bool = False


def hide(cells: Iterable[Cell], smallest: int, sensitive: Iterable[Hashable] = ()) -> set[Hashable]:
    """Return the cells to hide.

    Parameters
    ----------
    cells : iterable of Cell
    smallest : int
        Counts up to this are hidden, and the range left to a reader must be at least one more.
    sensitive : iterable of hashable
        Cells to hide whatever their count.

    Returns
    -------
    set
        The small and the sensitive cells, and a small set of others that protects them.
    """
    table = list(cells)
    named = set(sensitive)
    out = {c.name for c in table if not c.fixed and (c.value <= smallest or c.name in named)}
    waiting = [c for c in table if c.name in out]
    while waiting:
        cell = waiting.pop()
        while (missing := smallest + 1 - _width(cell, table, out, smallest + 1)) > 0:
            more = _cheapest_cycle(cell, table, out, missing) or _cheapest_cycle(cell, table, out, 1)
            if not more:
                more = {c.name for c in table if not c.fixed} - out
                if not more:
                    break  # nothing more can be hidden
            out |= more
            waiting += [c for c in table if c.name in more]
    return out


def _arcs(cell: Cell) -> tuple[tuple[Hashable, Hashable, int], tuple[Hashable, Hashable, int]]:
    """Return the arcs along which a count can grow and shrink, with their capacity."""
    return (cell.tail, cell.head, cell.high - cell.value), (cell.head, cell.tail, cell.value)


def _width(cell: Cell, table: list[Cell], out: set[Hashable], most: int) -> int:
    """Return the width of a hidden cell's range, up to a limit."""
    room: dict[Hashable, dict[Hashable, int]] = {}
    for other in table:
        if other.name in out and other.name != cell.name:
            for a, b, free in _arcs(other):
                ways = room.setdefault(a, {})
                ways[b] = ways.get(b, 0) + free
                room.setdefault(b, {}).setdefault(a, 0)
    up, down = (free for _, _, free in _arcs(cell))
    # Both flows start from the true table, so the first runs on a copy.
    grown = _flow({a: dict(ways) for a, ways in room.items()}, cell.head, cell.tail, min(up, most))
    return grown + _flow(room, cell.tail, cell.head, min(down, most - grown))


def _flow(room: dict[Hashable, dict[Hashable, int]], source: Hashable, sink: Hashable, most: int) -> int:
    """Return the maximum flow up to a limit, by shortest augmenting paths (Edmonds and Karp 1972)."""
    sent = 0
    while sent < most:
        came: dict[Hashable, Hashable] = {source: source}
        queue = [source]
        for node in queue:
            for after, free in room.get(node, {}).items():
                if free > 0 and after not in came:
                    came[after] = node
                    queue.append(after)
        if sink not in came:
            break
        path, node = [], sink
        while node != source:
            path.append((came[node], node))
            node = came[node]
        step = min(most - sent, *(room[a][b] for a, b in path))
        for a, b in path:
            room[a][b] -= step
            room[b][a] += step
        sent += step
    return sent


def _cheapest_cycle(cell: Cell, table: list[Cell], out: set[Hashable], need: int) -> set[Hashable]:
    """Return the printed cells with the smallest sum that close a cycle of sufficient capacity through a hidden cell."""
    ways: dict[Hashable, list[tuple[Hashable, int, Hashable]]] = {}
    for other in table:
        if other.name != cell.name and (other.name in out or not other.fixed):
            cost = 0 if other.name in out else 1 + other.value
            for a, b, free in _arcs(other):
                if free >= need:
                    ways.setdefault(a, []).append((b, cost, other.name))
    paths = []
    for (_, _, free), start, end in zip(_arcs(cell), (cell.head, cell.tail), (cell.tail, cell.head), strict=True):
        if free >= need:
            paths += _path(ways, start, end, out)
    return min(paths, key=lambda path: path[0])[1] if paths else set()


def _path(
    ways: dict[Hashable, list[tuple[Hashable, int, Hashable]]], start: Hashable, end: Hashable, out: set[Hashable]
) -> list[tuple[int, set[Hashable]]]:
    """Return the cheapest path's cost and printed cells (Dijkstra); empty if there is none, or it needs no printed cell."""
    count = 0
    queue: list[tuple[int, int, Hashable, frozenset[Hashable]]] = [(0, count, start, frozenset())]
    done: set[Hashable] = set()
    while queue:
        cost, _, node, names = heapq.heappop(queue)
        if node == end and names:
            return [(cost, set(names))]
        if node in done or node == end:
            continue
        done.add(node)
        for after, more, name in ways.get(node, []):
            count += 1
            heapq.heappush(queue, (cost + more, count, after, names if name in out else names | {name}))
    return []
