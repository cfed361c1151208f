"""Quoting of SQL literals."""

from __future__ import annotations


def literal(value: object) -> str:
    """Return a value as a text literal.

    Examples
    --------
    >>> literal("St John's")
    "'St John''s'"
    """
    return "'" + str(value).replace("'", "''") + "'"


def literals(values: object) -> str:
    """Return values as a list for ``IN``.

    Examples
    --------
    >>> literals(["a", "b'"])
    "('a', 'b''')"
    """
    return "(" + ", ".join(literal(v) for v in values) + ")"  # type: ignore[attr-defined]
