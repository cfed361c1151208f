"""Cell suppression: which counts of a table to hide so that none of the small ones can be worked out from the rest.

The counts of a table are the cells of a network in which all that flows into a node flows out of it: a partition runs from a root
through its values to a sink, and its total flows back; in a table of two groups each cell runs from its row to its column. A hidden
count can be worked out when no other hidden counts close a circle with it; what can flow around such circles is the range that a
reader is left with (Fischetti and Salazar 2001 give the bounds as linear programs; here they are flows, by augmenting paths).
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
        What it is called.
    tail, head : hashable
        The nodes it runs from and to; at each node what comes in equals what goes out.
    value : int
        The true count.
    high : int
        The most that a reader could think it is, from the other figures printed beside it; the least is nothing.
    fixed : bool
        It is printed elsewhere already, so hiding it here protects nothing.
    """

    name: Hashable
    tail: Hashable
    head: Hashable
    value: int
    high: int = MANY
    fixed: bool = False


def hide(cells: Iterable[Cell], smallest: int, sensitive: Iterable[Hashable] = ()) -> set[Hashable]:
    """Name the cells to hide.

    Parameters
    ----------
    cells : iterable of Cell
    smallest : int
        Counts up to this are hidden, and no reader may be left with a narrower range than this and one.
    sensitive : iterable of hashable
        Names of cells that have to be hidden whatever their count.

    Returns
    -------
    set
        Those that are too small, the sensitive ones, and as few others as are found to keep each from being worked out.
    """
    table = list(cells)
    named = set(sensitive)
    out = {c.name for c in table if not c.fixed and (c.value <= smallest or c.name in named)}
    waiting = [c for c in table if c.name in out]
    while waiting:
        cell = waiting.pop()
        while (missing := smallest + 1 - _width(cell, table, out, smallest + 1)) > 0:
            more = _cheapest_circle(cell, table, out, missing) or _cheapest_circle(cell, table, out, 1)
            if not more:
                more = {c.name for c in table if not c.fixed} - out
                if not more:
                    break  # everything that can be hidden is
            out |= more
            waiting += [c for c in table if c.name in more]
    return out


def _arcs(cell: Cell) -> tuple[tuple[Hashable, Hashable, int], tuple[Hashable, Hashable, int]]:
    """Return how a count can grow and shrink, as arcs with room."""
    return (cell.tail, cell.head, cell.high - cell.value), (cell.head, cell.tail, cell.value)


def _width(cell: Cell, table: list[Cell], out: set[Hashable], most: int) -> int:
    """Return how wide the range of a hidden cell is, up to the most that matters."""
    room: dict[Hashable, dict[Hashable, int]] = {}
    for other in table:
        if other.name in out and other.name != cell.name:
            for a, b, free in _arcs(other):
                ways = room.setdefault(a, {})
                ways[b] = ways.get(b, 0) + free
                room.setdefault(b, {}).setdefault(a, 0)
    up, down = (free for _, _, free in _arcs(cell))
    # Both flows start from the true table, so each is found on a copy.
    grown = _flow({a: dict(ways) for a, ways in room.items()}, cell.head, cell.tail, min(up, most))
    return grown + _flow(room, cell.tail, cell.head, min(down, most - grown))


def _flow(room: dict[Hashable, dict[Hashable, int]], source: Hashable, sink: Hashable, most: int) -> int:
    """Return the greatest flow up to a limit, by shortest augmenting paths (Edmonds and Karp 1972)."""
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


def _cheapest_circle(cell: Cell, table: list[Cell], out: set[Hashable], need: int) -> set[Hashable]:
    """Name the printed cells, of the least sum, that close a circle through a hidden cell with room for what is needed."""
    ways: dict[Hashable, list[tuple[Hashable, int, Hashable]]] = {}
    for other in table:
        if other.name != cell.name and (other.name in out or not other.fixed):
            cost = 0 if other.name in out else 1 + other.value
            for a, b, free in _arcs(other):
                if free >= need:
                    ways.setdefault(a, []).append((b, cost, other.name))
    found = []
    for (_, _, free), start, end in zip(_arcs(cell), (cell.head, cell.tail), (cell.tail, cell.head), strict=True):
        if free >= need:
            found += _path(ways, start, end, out)
    return min(found, key=lambda f: f[0])[1] if found else set()


def _path(
    ways: dict[Hashable, list[tuple[Hashable, int, Hashable]]], start: Hashable, end: Hashable, out: set[Hashable]
) -> list[tuple[int, set[Hashable]]]:
    """Return the cheapest path's cost and the printed cells on it (Dijkstra); nothing when it needs none or there is none."""
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
