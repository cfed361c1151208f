"""Daily anchors of the audit: the end of the chain in a file, so that removing the last rows shows."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from histories.errors import Fault, Faults
from serving.store.ledger.entry import End

log = logging.getLogger("onroll.audit")


class Anchors:
    """A file to which the first process that appends to the audit each day adds a line.

    Parameters
    ----------
    file : Path
        Keep it on append-only storage, or copy it elsewhere each day.
    """

    def __init__(self, file: Path) -> None:
        self.file, self._day = file, ""

    def note(self, end: End) -> None:
        """Write the chain's end, once a day; a failure is logged and retried at the next append."""
        day = end.at[:10]
        if day == self._day:
            return
        try:
            descriptor = os.open(self.file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "a+", encoding="utf-8") as lines:
                fcntl.flock(lines, fcntl.LOCK_EX)
                lines.seek(0)
                if not any(json.loads(line)["at"][:10] == day for line in lines if line.strip()):
                    lines.write(json.dumps(asdict(end)) + "\n")
                    lines.flush()
                    os.fsync(lines.fileno())
            self._day = day
        except (OSError, ValueError, KeyError) as error:
            log.error("the audit's end could not be anchored: %s", type(error).__name__)

    def read(self) -> Iterator[End]:
        """Yield the anchors, oldest first.

        Raises
        ------
        Faults
            When a line is not an anchor.
        """
        if not self.file.is_file():
            return
        with self.file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield End(**json.loads(line))
                except (ValueError, TypeError):
                    do = "Compare the file with your copy of it."
                    raise Faults(Fault("this line is not an anchor", f"{self.file}, line {number}", do)) from None
