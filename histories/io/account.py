"""The account that a command runs as."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

LOGIN = Path(
    "/proc/self/loginuid"
)  # who logged in; the kernel lets nobody change it, whatever account they take on later
NO_LOGIN = 2**32 - 1


def account() -> str:
    """Return the account that logged in; where the kernel records none, that which called sudo, or the process's.

    Never by LOGNAME or USER, which everybody can set. Without a login, as in a container, somebody with a shell of the shared account
    can set SUDO_UID. ``unknown`` if the machine has no name for the account.
    """
    called_by = os.environ.get("SUDO_UID", "")
    user = int(called_by) if called_by.isdecimal() else os.getuid()
    login = _login()
    try:
        return pwd.getpwuid(user if login is None else login).pw_name
    except (KeyError, OverflowError):
        return "unknown"


def _login() -> int | None:
    try:
        user = int(LOGIN.read_text())
    except (OSError, ValueError):
        return None
    return None if user == NO_LOGIN else user
