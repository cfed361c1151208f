"""The hash of a file, by which everybody can tell that it is the same one."""

from __future__ import annotations

import hashlib
from pathlib import Path


def file_digest(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; it is read piece by piece, so it may be larger than memory."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
