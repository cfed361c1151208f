"""Amounts of memory, and the fault for a memory limit that is too low."""

from __future__ import annotations

import re
import sys

from histories.errors import Fault, Faults

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


def bytes_of(memory: str) -> int:
    """Return the number of bytes in a text such as ``4GiB`` or ``500MB``.

    Raises
    ------
    Faults
        If the text is not an amount of memory.

    Examples
    --------
    >>> bytes_of("1.5 KiB")
    1536
    """
    amount = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?\s*", memory.lower())
    if amount is None or amount[2] not in UNITS:
        raise Faults(Fault("this is not an amount of memory", "ONROLL_MEMORY", "Write it like 4GiB."))
    return int(float(amount[1]) * UNITS[amount[2]])


def too_little(error: BaseException) -> Fault | None:
    """Return the fault for DuckDB's out-of-memory error; None for any other error."""
    # DuckDB that was never imported cannot have raised the error.
    duckdb = sys.modules.get("duckdb")
    if duckdb is None or not isinstance(error, duckdb.OutOfMemoryException):
        return None
    do = "Raise the limit, e.g. ONROLL_MEMORY=4GiB, and free disk space: rows that do not fit in memory are spilled to disk."
    return Fault("DuckDB ran out of memory", "ONROLL_MEMORY", do)
