"""Take the long lists out of a request in JSON as coded columns: each distinct value is read once, and no row becomes an object."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from pydantic_core import from_json

from histories.reading.posted_columns import CodedColumn, CodedRows

MAX_LISTS = 500  # more than all tables have columns; those after them are read value by value
WORD = 8  # bytes that the scan reads at once
Taken: TypeAlias = CodedColumn | CodedRows


def taken_out(body: bytes, mark: str) -> tuple[bytes, list[Taken]]:
    """Return a body with a text instead of each long list, and the lists in that order.

    The lists are those of the rows of a table (``{"histories": {"attendance": [...]}}``), all with the same columns in the same order, and of the values
    of a column. The rest is JSON if and only if the body is, and names a key twice in an object if and only if the body does.

    Parameters
    ----------
    mark : str
        Where the text begins that stands for a list; its number follows. The body must not hold it.
    """
    # numba takes a second to import, and most verbs do not need it
    from histories.reading.json_scan import next_list

    padded = np.frombuffer(body + bytes(WORD), np.uint8)
    letters, words = padded[:-WORD], np.ndarray((len(padded) - WORD + 1,), "<u8", padded, 0, (1,))
    at = depth = kept = 0
    rest: list[bytes] = []
    lists: list[Taken] = []
    while len(lists) < MAX_LISTS:
        found, depth = next_list(letters, words, at, depth)
        if not found.rows:
            break
        at = found.end
        if (taken := _read(body, found)) is not None:
            rest += [body[kept : found.begin], f'"{mark}{len(lists)}"'.encode()]
            lists.append(taken)
            kept = at
    return b"".join([*rest, body[kept:]]), lists


def _read(body: bytes, found: Any) -> Taken | None:
    """Return a list that was found; None if a value of it is no JSON, or a column is there twice."""
    several = [of[:count].tolist() for of, count in zip(found.values, found.counts, strict=True)]
    try:
        values = from_json(b"[%b]" % b",".join([body[begin:end] for of in several for begin, end in of]))
        names = list(from_json(body[found.edges[0, 0] : found.edges[-1, 1]])) if found.edges.any() else None
    except ValueError:
        return None
    columns, used = [], 0
    for of, places in zip(several, found.places, strict=True):
        columns.append(CodedColumn(values[used : used + len(of)], places[: found.rows].copy()))
        used += len(of)
    if names is None:
        return columns[0]
    return CodedRows(dict(zip(names, columns, strict=True)), found.rows) if len(names) == len(columns) else None


def put_back(read: Any, mark: str, lists: list[Taken]) -> Any:
    """Put lists that were taken out of a body into what the rest of it holds, and return it."""
    if lists and isinstance(read, dict):
        for tables in read.values():
            for sent in [tables, *tables.values()] if isinstance(tables, dict) else []:
                for name, value in sent.items() if isinstance(sent, dict) else []:
                    if isinstance(value, str) and value.startswith(mark):
                        sent[name] = lists[int(value.removeprefix(mark))]
    return read
