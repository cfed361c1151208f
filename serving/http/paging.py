"""Cursors of the work-list: an opaque token that a caller sends back to get the next page."""

from __future__ import annotations

import base64
import json
from dataclasses import astuple, dataclass
from datetime import date


class ListChanged(Exception):
    """The cursor belongs to a list that is no longer the newest, or to none."""


@dataclass(frozen=True)
class Cursor:
    """A position in one list: its day and model version, and the last pupil's rank and authority."""

    as_of: date
    version: str
    rank: int
    authority: str

    def token(self) -> str:
        """Return the cursor as an opaque token."""
        day, *rest = astuple(self)
        return base64.urlsafe_b64encode(json.dumps([day.isoformat(), *rest]).encode()).decode().rstrip("=")

    @classmethod
    def of(cls, token: str) -> Cursor:
        """Read a token; it is not signed, since it gives nobody more than their scope.

        Raises
        ------
        ListChanged
            When the token is not a cursor.

        Examples
        --------
        >>> cursor = Cursor(date(2025, 1, 13), "4", 50, "801")
        >>> Cursor.of(cursor.token()) == cursor
        True
        """
        try:
            day, version, rank, authority = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            cursor = cls(date.fromisoformat(day), version, rank, authority)
            if not (
                type(rank) is int and 0 <= rank < 2**31 and isinstance(version, str) and isinstance(authority, str)
            ):
                raise ValueError
            cursor.authority.encode(), cursor.version.encode()
            return cursor
        except (ValueError, TypeError, RecursionError):
            raise ListChanged from None
