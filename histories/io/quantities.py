"""Numbers of things in messages: one of a thing is never in the plural."""

from __future__ import annotations

PLURAL = {"child": "children", "authority": "authorities"}


def quantity(count: int, noun: str = "row") -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> quantity(1), quantity(2000, "child")
    ('1 row', '2,000 children')
    """
    return f"1 {noun}" if count == 1 else f"{count:,} {PLURAL.get(noun, f'{noun}s')}"
