"""Who calls, and the filter that every query for them carries."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from serving.roles import IDENTITIES


@dataclass(frozen=True)
class Caller:
    """Who calls, and what they may see.

    Attributes
    ----------
    key_id : str
        Who it is in the audit: a key's id, ``token:SUBJECT``, ``proxy:USER`` or ``command:ACCOUNT``.
    role : str
    authority : str or None
        None for an administrator of all authorities.
    urns : tuple of str
        Only these schools; all of the authority's when empty.
    """

    key_id: str
    role: str
    authority: str | None
    urns: tuple[str, ...] = ()

    def scope(self, table: Any) -> list[sa.ColumnElement[bool]]:
        """Return the conditions on a table with ``authority`` and ``urn`` that count what is this caller's."""
        if self.role == "administrator" and self.authority is None:
            return []
        own: list[sa.ColumnElement[bool]] = [table.authority == (self.authority or "")]
        return [*own, table.urn.in_(self.urns)] if self.urns else own

    def children(self, table: Any) -> list[sa.ColumnElement[bool]]:
        """Return the conditions of queries that name children: those of ``scope``, and nobody for an analyst."""
        return self.scope(table) if self.role in IDENTITIES else [sa.false()]


def command_line() -> Caller:
    """Return whoever runs a verb on this machine: they hold the database, so they may see all of it."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        account = "unknown"
    return Caller(f"command:{account}", "administrator", None)
