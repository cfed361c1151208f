"""Where a page of the work-list ends: an opaque word that a caller sends back to get the next one."""

from __future__ import annotations

import base64
import json
from dataclasses import astuple, dataclass
from datetime import date


class ListChanged(Exception):
    """The list that a page was taken from is not the newest, or never was."""


@dataclass(frozen=True)
class Place:
    """A place in one list: the day and the model version that ranked it, and the last pupil's rank and authority."""

    as_of: date
    version: str
    rank: int
    authority: str

    def word(self) -> str:
        """Return the place as a word without meaning to a caller."""
        day, *rest = astuple(self)
        return base64.urlsafe_b64encode(json.dumps([day.isoformat(), *rest]).encode()).decode().rstrip("=")

    @classmethod
    def of(cls, word: str) -> Place:
        """Read a word again; it gives nobody more than their scope, so it carries no signature.

        Raises
        ------
        ListChanged
            When it is not one of ours: there is no such list to go on with.

        Examples
        --------
        >>> here = Place(date(2025, 1, 13), "4", 50, "801")
        >>> Place.of(here.word()) == here
        True
        """
        try:
            day, version, rank, authority = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
            place = cls(date.fromisoformat(day), version, rank, authority)
            if not (
                type(rank) is int and 0 <= rank < 2**31 and isinstance(version, str) and isinstance(authority, str)
            ):
                raise ValueError
            place.authority.encode(), place.version.encode()
            return place
        except (ValueError, TypeError, RecursionError):
            raise ListChanged from None
