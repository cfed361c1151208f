"""Cells that a spreadsheet takes for text, whatever is in them."""

from __future__ import annotations

from typing import Any


def safe(value: Any) -> Any:
    """Return a value for a cell: text that a spreadsheet would run as a formula gets an apostrophe; numbers stay numbers.

    Examples
    --------
    >>> safe('=HYPERLINK("http://x")'), safe("  +1"), safe(-3), safe("a-b"), safe(None)
    ('\\'=HYPERLINK("http://x")', "'  +1", -3, 'a-b', None)
    """
    if not isinstance(value, str) or not value:
        return value
    runs = value[0] in "\t\r\n" or value.lstrip()[:1] in ("=", "+", "-", "@", "＝", "＋", "－", "＠")
    return f"'{value}" if runs else value
