"""Quoting of SQL literals."""

from __future__ import annotations


def literal(value: object, engine: str = "duckdb") -> str:
    r"""Return a value as a text literal; Spark treats a backslash as an escape, DuckDB does not.

    Examples
    --------
    >>> literal("St John's")
    "'St John''s'"
    >>> print(literal("\\"), literal("\\", "spark"))
    '\' '\\'
    """
    text = str(value).replace("\\", "\\\\").replace("'", "\\'") if engine == "spark" else str(value).replace("'", "''")
    return f"'{text}'"


def literals(values: object) -> str:
    """Return values as a list for ``IN``.

    Examples
    --------
    >>> literals(["a", "b'"])
    "('a', 'b''')"
    """
    return "(" + ", ".join(literal(v) for v in values) + ")"  # type: ignore[attr-defined]
