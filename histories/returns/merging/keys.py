"""Find the keys that belong to one child and the numbers that belong to one school: by changed UPNs, links and school numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any


def same_children(
    changes: Iterable[tuple[str, str]], held: Mapping[str, str], kept: Collection[str] = ()
) -> dict[str, str]:
    """Return the child's main key for each of its other keys.

    Parameters
    ----------
    changes : iterable of (str, str)
        A key and the child's former key.
    held : mapping
        Keys of UPNs to the ``pupil_id`` of the child in histories from before the first import; these are kept.
    kept : collection of str
        Main keys of before a rotation, where the order of keys would choose another one now.

    Returns
    -------
    dict
        The main key is one that histories had already, else that of the oldest UPN. The order of changes does not matter.
    """
    later: set[str] = set()
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for key, former in changes:
        if key != former:
            later.add(key)
            parent[root(key)] = root(former)
    for key, pupil in held.items():
        if key != pupil:
            parent[root(key)] = root(pupil)
    pupils = set(held.values())
    groups: dict[str, list[str]] = {}
    for key in list(parent):
        groups.setdefault(root(key), []).append(key)
    child: dict[str, str] = {}
    for keys in groups.values():
        chosen = min(keys, key=lambda k: (k not in pupils, k not in kept, k in later, k))
        child |= {k: chosen for k in keys if k != chosen}
    return child


def same_schools(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the newest number of a school for each of its other numbers.

    Parameters
    ----------
    pairs : iterable of (str, str)
        A number (URN or LAESTAB) and its successor. A number with two successors was split and is kept.
    """
    successors: dict[str, set[str]] = {}
    for number, same_as in pairs:
        if number != same_as:
            successors.setdefault(number, set()).add(same_as)
    after = {number: next(iter(same_as)) for number, same_as in successors.items() if len(same_as) == 1}
    newest = {}
    for number in after:
        seen, last = {number}, after[number]
        while last in after and after[last] not in seen:
            seen.add(last)
            last = after[last]
        newest[number] = last
    return newest


def give_keys(connection: Any, children: Mapping[str, str], schools: Mapping[str, str]) -> None:
    """Create the tables ``alias`` and ``school_id``."""
    import pyarrow as pa

    for table, names, pairs in (
        ("alias", ("key", "pupil_id"), children),
        ("school_id", ("urn", "same_as"), schools),
    ):
        columns = {names[0]: pa.array(list(pairs), pa.string()), names[1]: pa.array(list(pairs.values()), pa.string())}
        connection.register("incoming", pa.table(columns))
        connection.execute(f"CREATE TABLE {table} AS SELECT * FROM incoming")
        connection.unregister("incoming")
