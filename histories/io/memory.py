"""How much memory may be used, and what is said when that was too little."""

from __future__ import annotations

import re
import sys

from histories.errors import Fault, Faults

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


def bytes_of(memory: str) -> int:
    """Return the bytes of a text such as ``4GiB`` or ``500MB``.

    Raises
    ------
    Faults
        When the text is not such an amount.

    Examples
    --------
    >>> bytes_of("1.5 KiB")
    1536
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?\s*", memory.lower())
    if found is None or found[2] not in UNITS:
        raise Faults(Fault("this is not an amount of memory", "ONROLL_MEMORY", "Write it like 4GiB."))
    return int(float(found[1]) * UNITS[found[2]])


def too_little(error: BaseException) -> Fault | None:
    """Return the fault of an error by which DuckDB says that the memory it may use was too little; None of any other error."""
    # An engine that was never loaded ran out of nothing.
    duckdb = sys.modules.get("duckdb")
    if duckdb is None or not isinstance(error, duckdb.OutOfMemoryException):
        return None
    do = "Give it more, such as ONROLL_MEMORY=4GiB, and see that there is room on the disk for temporary files; rows that do not fit into memory lie there."
    return Fault("DuckDB had too little memory for what was asked", "ONROLL_MEMORY", do)
