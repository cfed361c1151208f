"""What staff did with the lists of the last twelve weeks, for the lead's page: by group, never by person."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from serving.monitoring.involvement import involvement
from serving.store.cases.involvement import material
from serving.store.unit_of_work import View

LOOK_BACK = timedelta(weeks=12)


def figures(view: View, today: date, most: int, team: str) -> dict[str, Any]:
    """Return ``Involvement.to_dict`` of the last twelve weeks; see there."""
    return involvement(material(view, today - LOOK_BACK, today + timedelta(days=1), most, team)).to_dict()
