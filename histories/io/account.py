"""The operating system's account, for logs of who ran a command."""

from __future__ import annotations

import getpass


def account() -> str:
    """Return the account that runs this process, or ``unknown``."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
