"""Anchors of the audit: the end of the chain every few minutes, kept elsewhere, so that removing the last rows shows."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from serving.store.ledger.anchor_places import AnchorFile, AnchorPlace, read_anchors
from serving.store.ledger.entry import End

log = logging.getLogger("onroll.audit")
ENTRIES = 1000  # that are appended at most until the next anchor
MINUTES = timedelta(
    minutes=5
)  # that pass at most until the next anchor, while entries are appended or the service runs


class Anchors:
    """Anchors the end of the chain: a process's first append, then every thousand entries and every five minutes.

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
        self._newest: End | None = None
        self._lock = threading.Lock()

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
        return datetime.fromisoformat(end.at) - datetime.fromisoformat(last.at) >= MINUTES

    def _anchor(self, place: AnchorPlace, end: End) -> None:
        try:
            place.append(end)
        except OSError as error:
            log.error("the audit's end could not be anchored in %s: %s", place.name, type(error).__name__)
        else:
            self._anchored[place.name] = end

    def read(self, also: Sequence[Path] = ()) -> Iterator[End]:
        """Yield the anchors of the file, then those of other files: copies of it, or what a syslog collected.

        Raises
        ------
        Faults
            When a file cannot be read, or a line is not an anchor.
        """
        yield from read_anchors(self.file)
        for file in also:
            yield from read_anchors(file, collected=True)
