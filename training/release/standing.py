"""Where each version stands by the promotion log: it serves, was followed by another, was rolled back from, or was withdrawn."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from training.release.promotion_log import WITHDRAWN, readable

SERVES, FOLLOWED, ROLLED_BACK = "serves", "followed", "rolled back"  # the last is also the action of its move
TAKEN_BACK = (ROLLED_BACK, WITHDRAWN)
DO = "Let the service's account read the file, and see that its disk answers: which lists are shown depends on it."
GONE = object()
log = logging.getLogger("onroll.releases")


def standings(lines: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """Return how the newest move of the champion's alias left each version; a version that was never champion is not in it.

    Parameters
    ----------
    lines : iterable of dict
        Of the promotion log, oldest first.

    Examples
    --------
    >>> moves = [("registered", 1), ("promoted", 2), ("withdrawn", 0), ("promoted", 3)]
    >>> standings({"alias": "champion", "action": action, "version": v} for action, v in moves)
    {1: 'followed', 2: 'withdrawn', 3: 'serves'}
    """
    standing: dict[int, str] = {}
    serving = 0
    for line in lines:
        if line.get("alias") != "champion":
            continue
        if line.get("action") == WITHDRAWN:
            left, serving = serving or int(line.get("before") or 0), 0
            standing |= {left: WITHDRAWN} if left else {}
            continue
        version = int(line.get("version") or 0)
        if serving and serving != version:
            standing[serving] = ROLLED_BACK if line.get("action") == ROLLED_BACK else FOLLOWED
        serving = version
        standing[version] = SERVES
    return standing


def before_the_champion(lines: Iterable[dict[str, Any]]) -> int | None:
    """Return the version that a rollback goes to, or None: the last one that served before, and was neither withdrawn nor rolled back from.

    Examples
    --------
    >>> log = [("registered", 1), ("withdrawn", 0), ("promoted", 2), ("promoted", 3), ("rolled back", 2)]
    >>> lines = [{"alias": "champion", "action": action, "version": v} for action, v in log]
    >>> [before_the_champion(lines[:n]) for n in (4, 5)]
    [2, None]
    """
    served: list[int] = []
    moved = [line for line in lines if line.get("alias") == "champion"]
    for line in moved:
        version = int(line.get("version") or 0)
        if line.get("action") == ROLLED_BACK and version in served:
            del served[served.index(version) + 1 :]
        elif line.get("action") != WITHDRAWN:
            served = [*(v for v in served if v != version), version]
    standing = standings(moved)
    return next((v for v in reversed(served) if standing[v] == FOLLOWED), None)


class TakenBack:
    """Returns the versions of a promotion log that were withdrawn or rolled back from, and have not served since: no list of theirs is shown.

    The log is read again when it has changed. A line that cannot be read is passed over: the service refuses such a log by itself.
    While the whole log cannot be read, or is gone, what was last known holds.

    Parameters
    ----------
    file : Path
        The log; without one no version was taken back, unless another place remembers it.
    also : callable
        Called with the lines of the log, or none, whenever it has changed; returns the versions that it has lost, by another place.
    """

    def __init__(
        self, file: Path, also: Callable[[list[dict[str, Any]]], frozenset[str]] = lambda lines: frozenset()
    ) -> None:
        self.file, self.also = file, also
        self._known: tuple[object, frozenset[str]] = (None, frozenset())

    def __call__(self) -> frozenset[str]:
        """Return the versions.

        Raises
        ------
        Faults
            If the log cannot be read, and never was.
        """
        try:
            return self._read()
        except FileNotFoundError:
            if self._known[0] is not GONE:
                self._known = (GONE, self._known[1] | self.also([]))
            return self._known[1]
        except OSError as error:  # without a right to read it, for one: that is no reason to show what was taken back
            if self._known[0] is None:
                what = f"the promotion log cannot be read ({type(error).__name__})"
                raise Faults(Fault(what, str(self.file), DO)) from None
            log.error("the promotion log cannot be read (%s); what was last known holds", type(error).__name__)
            return self._known[1]

    def _read(self) -> frozenset[str]:
        status = self.file.stat()
        state = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if self._known[0] != state:
            lines = readable(self.file)
            versions = frozenset(str(version) for version, left in standings(lines).items() if left in TAKEN_BACK)
            self._known = (state, versions | self.also(lines))
        return self._known[1]
