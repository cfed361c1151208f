"""Filters of the list that a person saved under a name; only that person sees them."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from histories.errors import Fault, Faults
from serving.store.cases.cases import written
from serving.store.tables import Base, Opaque, Who
from serving.store.unit_of_work import Change, NotThere, View

MAX_NAME = 60  # characters
MAX_QUERY = 500
MAX_SAVED = 20  # filters of one person


class SavedFilter(Base):
    """A saved filter.

    Attributes
    ----------
    query : str
        The query string of the list's address; it holds no pupil's value.
    """

    __tablename__ = "saved_filters"
    filter_id: Mapped[str] = mapped_column(Opaque, primary_key=True)
    person_id: Mapped[str] = mapped_column(Who, index=True)
    name: Mapped[str] = mapped_column(sa.String(MAX_NAME))
    query: Mapped[str] = mapped_column(sa.String(MAX_QUERY))
    saved_at: Mapped[datetime]


def _own(view: View) -> sa.ColumnElement[bool]:
    return SavedFilter.person_id == view.caller.key_id


def own_filters(view: View) -> list[dict[str, Any]]:
    """Return the caller's filters by name. The calling code records the view."""
    query = sa.select(SavedFilter.__table__).where(_own(view)).order_by(SavedFilter.name, SavedFilter.filter_id)
    return [dict(r) for r in view.connection.execute(query).mappings()]


def save_filter(change: Change, name: str, query: str) -> None:
    """Save a filter; one of the same name is replaced.

    Raises
    ------
    Faults
        When the name is empty or too long, nothing is filtered, or the person has too many.
    """
    name = written(name, "name", MAX_NAME) or ""
    if not query or len(query) > MAX_QUERY:
        raise Faults(Fault("there is nothing to save", "query", "Choose something first."))
    change.connection.execute(sa.delete(SavedFilter).where(_own(change), SavedFilter.name == name))
    saved = change.connection.scalar(sa.select(sa.func.count()).select_from(SavedFilter).where(_own(change))) or 0
    if saved >= MAX_SAVED:
        raise Faults(Fault("there are too many saved filters", "many", f"Remove one of the {MAX_SAVED}."))
    row = {
        "filter_id": secrets.token_hex(16),
        "person_id": change.caller.key_id,
        "name": name,
        "query": query,
        "saved_at": change.now,
    }
    change.connection.execute(sa.insert(SavedFilter), row)
    change.record("filter.saved", saved=saved + 1)


def remove_filter(change: Change, filter_id: str) -> None:
    """Remove a filter.

    Raises
    ------
    NotThere
        When the caller has no such filter.
    """
    removal = sa.delete(SavedFilter).where(_own(change), SavedFilter.filter_id == filter_id)
    if not change.connection.execute(removal).rowcount:
        raise NotThere("filter")
    change.record("filter.removed")
