"""How every verb opens histories: with the engine and memory of the settings, and with warnings on standard error."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from histories.io.terminal import warn
from histories.settings import settings

if TYPE_CHECKING:
    from histories.reading.histories import Histories


def open_histories(place: Path | str, *, engine: str | None = None) -> Histories:
    """Open histories on the given engine, by default that of the settings, and print warnings on standard error.

    Raises
    ------
    Faults
        See ``Histories.open``.
    """
    from histories.reading.histories import Histories

    current = settings()
    opened = Histories.open(place, engine=engine or current.engine, memory=current.memory)
    warn(opened.warnings)
    return opened


def warn_of_late_days(opened: Histories, days: Iterable[date]) -> None:
    """Print a warning on standard error if as-of dates lie long after the newest records."""
    from histories.reading.recency import warnings_of_late_days

    warn(warnings_of_late_days(opened, days))
