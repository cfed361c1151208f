"""The name of a person as pages may show it."""

from __future__ import annotations

import unicodedata
from typing import Any

MAX_NAME = 100  # characters


def shown_name(name: Any) -> str:
    """Return a name as pages may show it, or "".

    Examples
    --------
    >>> shown_name("  Ann  Example "), shown_name("Ann\\u202eelpmaxE"), shown_name(5), shown_name("x" * 101)
    ('Ann Example', '', '', '')
    """
    text = " ".join(unicodedata.normalize("NFC", name).split()) if isinstance(name, str) else ""
    return text if text.isprintable() and len(text) <= MAX_NAME else ""
