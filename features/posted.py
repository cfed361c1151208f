"""Open the rows of a request on the engine that suits them; no other module chooses it."""

from __future__ import annotations

from functools import cache
from typing import Any

from features.catalogue import Catalogue, catalogue
from features.counting.tallies import aggregate
from histories.reading.histories import Histories
from histories.reading.plain_expressions import supports


def open_rows(tables: dict[str, Any]) -> Histories:
    """Open the rows of a request: few as plain lists, where the catalogue allows; many with Polars.

    Raises
    ------
    Faults
        With the position of every fault in the rows, never a value.
    """
    return Histories.from_rows(tables, plain=_runs_plain(catalogue()))


@cache
def _runs_plain(chosen: Catalogue) -> bool:
    """Return whether the plain engine knows every step of a catalogue; a user's own features may take others."""
    features = (f.value() for f in chosen.features)
    tallies = (aggregate(t) for t in chosen.tallies.values())
    return all(supports(e) for e in (*features, *tallies))
