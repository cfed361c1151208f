"""What a rule is."""

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
        An error makes ``onroll check`` leave with 1: it makes figures wrong.
    title : str
        What is wrong, of rows in the plural.
    reason : str
        Why it matters.
    do : str
        What to do about it.
    places : tuple of str
        Where it looks: tables (``sen``) or columns (``sen.primary_need``). Each is a finding of its own.
    broken : callable
        Takes the histories and a place; returns what breaks the rule there, as a lazy frame with one row each.
    needs : tuple of str
        Other tables that it reads; without them it is not asked.
    """

    code: str
    severity: Literal["error", "warning"]
    title: str
    reason: str
    do: str
    places: tuple[str, ...]
    broken: Callable[[Histories, str], nw.LazyFrame]
    needs: tuple[str, ...] = ()

    def asked(self, histories: Histories) -> list[str]:
        """Return the places whose tables are there."""
        return [p for p in self.places if {p.split(".")[0], *self.needs} <= histories.present]


def listed(h: Histories, numbers: Sequence[int], name: str = "found") -> nw.LazyFrame:
    """Return a small frame with one row a number: schools, days or years that a rule found."""
    import pyarrow as pa

    return h.given(pa.table({name: pa.array(numbers, pa.int32())}))
