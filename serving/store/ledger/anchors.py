"""Anchors of the audit: the end of the chain every few minutes, kept elsewhere, so that removing the last rows shows."""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from histories.errors import Fault, Faults
from serving.store.ledger.anchor_places import AnchorFile, AnchorPlace, read_anchors
from serving.store.ledger.entry import End

log = logging.getLogger("onroll.audit")
ENTRIES = 1000  # that are appended at most until the next anchor
MINUTES = timedelta(
    minutes=5
)  # that pass at most until the next anchor, while entries are appended or the service runs
CLOCKS = timedelta(minutes=1)  # by which clocks of several machines may differ
DECLARED = (
    "audit.anchors_declared"  # the action of the entry from which on the audit says how often anchors are written
)
ONLY_OWN = (
    "warning: the audit's anchors lie only where this account can change them, so whoever breaks in can cut the audit at an anchor;"
    " set ONROLL_AUDIT_SYSLOG, or give the file and its folder another owner (docs/store.md)"
)
MAX_KEPT = 5000  # anchors that a process remembers: three days of one a minute


class Anchors:
    """Anchors the end of the chain: a process's first append, then every thousand entries and every five minutes.

    A process also remembers what it anchored: while it runs, nobody cuts the audit and its file of anchors unnoticed.

    Parameters
    ----------
    file : Path
        The first place, from which ``read`` reads.
    others : sequence of AnchorPlace
        Further places, such as a syslog.
    """

    def __init__(self, file: Path, others: Sequence[AnchorPlace] = ()) -> None:
        self.file = file
        self._places = [AnchorFile(file), *others]
        self._anchored: dict[str, End] = {}
        self._kept: deque[End] = deque(maxlen=MAX_KEPT)
        self._newest: End | None = None
        self._lock = threading.Lock()

    @property
    def newest(self) -> End | None:
        """The newest end that this process knows of."""
        return self._newest

    @property
    def kept(self) -> list[End]:
        """What this process anchored in its file, oldest first."""
        with self._lock:
            return list(self._kept)

    @property
    def only_own(self) -> bool:
        """Whether the only place is a file that this account can change or replace."""
        if len(self._places) > 1:
            return False
        folder = self.file.absolute().parent
        return os.access(folder, os.W_OK) or not self.file.exists() or self.file.stat().st_uid == os.geteuid()

    def note(self, end: End) -> None:
        """Anchor the end of the chain where that is due; a failure is logged and tried again at the next append."""
        with self._lock:
            if self._newest is None or end.seq > self._newest.seq:
                self._newest = end
            for place in self._places:
                if self._due(place, end):
                    self._anchor(place, end)

    def flush(self) -> None:
        """Anchor the newest entry of this process in every place that lacks it; the service does so every minute."""
        with self._lock:
            for place in self._places:
                if self._newest is not None and self._anchored.get(place.name) != self._newest:
                    self._anchor(place, self._newest)

    def _due(self, place: AnchorPlace, end: End) -> bool:
        last = self._anchored.get(place.name)
        if last is None or end.seq - last.seq >= ENTRIES or end.at[:10] != last.at[:10]:
            return True
        passed = datetime.fromisoformat(end.at) - datetime.fromisoformat(last.at)
        return passed >= MINUTES or passed < timedelta()  # or the clock was set back

    def _anchor(self, place: AnchorPlace, end: End) -> None:
        try:
            place.append(end)
        except OSError as error:
            log.error("the audit's end could not be anchored in %s: %s", place.name, type(error).__name__)
        else:
            self._anchored[place.name] = end
            if place.name == str(self.file):
                self._kept.append(end)

    def read(self, also: Sequence[Path] = ()) -> Iterator[End]:
        """Yield the anchors of the file, then those of other files: copies of it, or what a syslog collected.

        Raises
        ------
        Faults
            When a file cannot be read, a line is not an anchor, or another file has none.
        """
        yield from read_anchors(self.file)
        for file in also:
            found = list(read_anchors(file, collected=True))
            if not found:
                do = "Name a file that has some, or leave it out."
                raise Faults(Fault("there is no anchor in it", str(file), do))
            yield from found
