"""The operating system's account, for logs of who ran a command."""

from __future__ import annotations

import os
import pwd


def account() -> str:
    """Return the account that runs this process, or that called it with sudo; ``unknown`` if the machine has no name for it.

    By the process's user, not by LOGNAME or USER, which everybody can set. sudo sets SUDO_UID itself; only with a shell of the shared
    account can somebody set it.
    """
    user = os.getuid()
    called_by = os.environ.get("SUDO_UID", "")
    try:
        return pwd.getpwuid(int(called_by) if called_by.isdecimal() else user).pw_name
    except (KeyError, OverflowError):
        return "unknown"
