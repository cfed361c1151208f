"""The caller, and the scope that every query for the caller carries."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from histories.io.account import account
from serving.roles import IDENTITIES


@dataclass(frozen=True)
class Credential:
    """What a caller signed in with, so that a session can end with it and its rights be checked again.

    Attributes
    ----------
    until : datetime or None
        When it expires.
    roles, groups : tuple of str
        The organisation's names that gave the caller's rights.
    """

    until: datetime | None = None
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Caller:
    """Who calls, and their scope.

    Attributes
    ----------
    key_id : str
        Identity in the audit: an API key's id, ``token:SUBJECT``, ``proxy:USER`` or ``command:ACCOUNT``.
    role : str
    authority : str or None
        None for an administrator of all authorities.
    urns : tuple of str
        Only these schools; all of the authority's when empty.
    credential : Credential
        Takes no part in comparisons.
    names : bool
        Whether the right to see names and other personal details was granted.
    """

    key_id: str
    role: str
    authority: str | None
    urns: tuple[str, ...] = ()
    credential: Credential = field(default=Credential(), compare=False, kw_only=True, repr=False)
    names: bool = field(default=False, kw_only=True)

    @property
    def sees_names(self) -> bool:
        """Whether the caller may see personal details; an analyst never does."""
        return self.names and self.role in IDENTITIES

    @property
    def one_authority(self) -> bool:
        """Whether the scope lies within one authority; only an administrator's may not."""
        return self.role != "administrator" or self.authority is not None

    def scope(self, table: Any) -> list[sa.ColumnElement[bool]]:
        """Return the conditions that limit a table with ``authority`` and ``urn`` to the caller's scope, for counts."""
        conditions: list[sa.ColumnElement[bool]] = []
        if self.one_authority:
            conditions = [table.authority == (self.authority or "")]
        return [*conditions, table.urn.in_(self.urns)] if self.urns else conditions

    def scope_of_authority(self, table: Any) -> list[sa.ColumnElement[bool]]:
        """Return the conditions that limit a table that names no school to the caller's authority, whichever schools the caller sees."""
        if self.urns and self.authority is None:
            return [sa.false()]  # schools of no authority: nothing says whose this is
        return replace(self, urns=()).scope(table)

    def may_see(self, authority: str, urn: str) -> bool:
        """Return whether a child of a school is in the scope; the same as ``scope`` says of a row."""
        return (not self.one_authority or authority == (self.authority or "")) and (not self.urns or urn in self.urns)

    def children(self, table: Any) -> list[sa.ColumnElement[bool]]:
        """Return the conditions of queries that name children: the scope, and no child at all for an analyst."""
        return self.scope(table) if self.role in IDENTITIES else [sa.false()]


def command_line() -> Caller:
    """Return the caller of a verb on this machine; with access to the database itself, they may see all of it."""
    return Caller(f"command:{account()}", "administrator", None)
