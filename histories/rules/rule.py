"""The declaration of a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import narwhals as nw

from histories.reading.histories import Histories


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A coded rule.

    Attributes
    ----------
    code : str
        Stable, such as ``H012``; the file is named after it.
    severity : {"error", "warning"}
        Errors make figures wrong; with one, ``onroll check`` exits with 1.
    title : str
        What is wrong, as a plural noun phrase.
    reason : str
        Why it matters.
    do : str
        What to do about it.
    places : tuple of str
        Tables (``sen``) or columns (``sen.primary_need``) to check; each gives its own finding.
    broken : callable
        Takes the histories and a place; returns a lazy frame with one row for each violation.
    needs : tuple of str
        Other tables that the rule reads; without them it is skipped.
    """

    code: str
    severity: Literal["error", "warning"]
    title: str
    reason: str
    do: str
    places: tuple[str, ...]
    broken: Callable[[Histories, str], nw.LazyFrame]
    needs: tuple[str, ...] = ()

    def applicable_places(self, histories: Histories) -> list[str]:
        """Return the places whose tables are present."""
        return [p for p in self.places if {p.split(".")[0], *self.needs} <= histories.present]


def listed(h: Histories, numbers: Sequence[int], name: str = "value") -> nw.LazyFrame:
    """Return a small frame with one row for each number, such as a day or a year."""
    import pyarrow as pa

    return h.given(pa.table({name: pa.array(numbers, pa.int32())}))
