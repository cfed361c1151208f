"""The hash that identifies a file."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_digest(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; the file may be larger than memory."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
