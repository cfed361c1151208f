"""The access file as it is now: a role or group that is taken out of it is gone at the next request."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from histories.errors import Faults
from serving.access.configuration import Configuration
from serving.http.problems import Problem
from serving.store import Caller

log = logging.getLogger("onroll.access")


class Rights(Protocol):
    """Turns the names in a token or a proxy's headers into a caller; see ``Configuration.caller``."""

    def caller(self, kind: str, account: str, roles: Iterable[str], groups: Iterable[str]) -> Caller:
        """Return the caller."""
        ...


class CurrentAccess:
    """Reads the access file again when it changes: roles, groups, localities and development users.

    While a changed file is faulty, the rights before the change stay, and every request logs an error. The authenticators'
    own settings and the limits take effect at a restart.

    Parameters
    ----------
    file : Path or None

    Raises
    ------
    Faults
        When the file is faulty at the start.
    """

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self._seen = self._stamp()
        self._configuration = Configuration.load(file)

    @property
    def configuration(self) -> Configuration:
        """The newest valid contents."""
        stamp = self._stamp()
        if stamp != self._seen:
            try:
                self._configuration, self._seen = Configuration.load(self.file), stamp
            except Faults as faults:
                log.error("the access file changed and is not valid: %s", faults.faults[0].what)
        return self._configuration

    def caller(self, kind: str, account: str, roles: Iterable[str], groups: Iterable[str]) -> Caller:
        """Return the caller of the names in a token or a proxy's headers, by the current file."""
        return self.configuration.caller(kind, account, roles, groups)

    def still_valid(self, caller: Caller) -> bool:
        """Return whether the caller of a session would get the same rights now.

        Keys are looked up with the session. A proxy names its user with every request, so its sessions are not valid without it.
        """
        kind, _, account = caller.key_id.partition(":")
        if not account:
            return True
        if kind == "dev":
            user = self.configuration.development.get(account)
            now = user and Caller(caller.key_id, user.role, user.authority, user.urns, names=user.names)
            return now == caller
        if kind != "token":
            return False
        try:
            return self.caller(kind, account, caller.credential.roles, caller.credential.groups) == caller
        except Problem:
            return False

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self.file.stat() if self.file else None
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size) if status else None
