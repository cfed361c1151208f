"""The place in a long page: which of its groups, and after or before which row; an address names rows at random only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from serving.store.parts import Position

ROW = re.compile(r"[01]?[0-9a-f]{32}")
FIRST, MOST = 25, 50  # rows of each group on the first page, and on a page of one group


@dataclass(frozen=True)
class Place:
    """A place in a page; without a group it is the beginning of each.

    Attributes
    ----------
    group : str
    position : Position or None
        None at the beginning of the group.
    """

    group: str = ""
    position: Position | None = None

    @classmethod
    def of(cls, query: Mapping[str, str], groups: Sequence[str]) -> Place:
        """Read a place from an address; what names no place is the beginning."""
        group = query.get("group", "")
        if group not in groups:
            return cls()
        for name in ("after", "before"):
            if ROW.fullmatch(query.get(name, "")):
                return cls(group, Position(query[name], backwards=name == "before"))
        return cls(group)

    def within(self, counts: Mapping[str, int]) -> Place:
        """Return the place, or the beginning of each group if its own has no rows any more."""
        return self if counts.get(self.group) else Place()

    @property
    def query(self) -> str:
        """The place as the query of an address; empty at the beginning of each group."""
        named = {"group": self.group} if self.group else {}
        if self.position:
            named["before" if self.position.backwards else "after"] = self.position.row
        return urlencode(named)

    def address(self, path: str, done: str = "") -> str:
        """Return the address of the place on a page, with what was done there."""
        query = "&".join(part for part in (self.query, f"done={done}" if done else "") if part)
        return f"{path}?{query}" if query else path

    def most(self) -> int:
        """Return how many rows of a group are shown."""
        return MOST if self.group else FIRST
