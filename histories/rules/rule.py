"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import narwhals as nw

from histories.opening import Histories


@dataclass(frozen=True)
class Rule:
    """A coded rule.

    Attributes
    ----------
    code : str
        Stable, such as ``H012``.
    severity : {"error", "warning"}
        An error makes ``onroll check`` leave with 1.
    table : str
        The table whose rows it counts.
    bad : callable
        Returns the rows that break the rule, as a lazy frame.
    needs : tuple of str
        Other tables that it reads.
    """

    code: str
    severity: Literal["error", "warning"]
    table: str
    title: str
    do: str
    bad: Callable[[Histories], nw.LazyFrame]
    needs: tuple[str, ...] = ()
