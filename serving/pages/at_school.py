"""Where a child is taught, in a few words: the year group and the school, or since when the child has left every roll and where to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from histories.calendar import london_today
from serving.pages.wording import SCHOOL_AGE, Wording

NO_YEAR_GROUP = ("deceased", "over_age")


def at_school(child: Mapping[str, Any], names: Mapping[str, str], words: Wording, *, begins: bool = False) -> str:
    """Return the year group and the school of a child; of a child who left every roll, where the child went as last known.

    Parameters
    ----------
    child : mapping
        ``urn``, ``nc_year``, ``roll_year`` (see ``Wording.year_group_of``), ``left_on`` and ``left_to``; ``off_roll``, where it is known
        whether the child is listed as on no roll; and ``placed_on``, the day of the year group, where one who has grown up since is named by
        the year group of leaving.
    names : mapping
        Names of schools by URN.
    words : Wording
    begins : bool
        The words begin a line, and so with a capital.
    """
    year, left_on = words.year_group_of(child["nc_year"], child["roll_year"]), child["left_on"]
    if left_on is None:
        school = names.get(child["urn"], child["urn"]) or words("transition.no_school")
        return f"{year}, {words('left.never') if child.get('off_roll') else school}"
    if child.get("placed_on") and child["nc_year"] > SCHOOL_AGE:
        return words.year_group_then(child["nc_year"], child["placed_on"], left_on)
    grown_up = child["nc_year"] > SCHOOL_AGE and child["left_to"] != "deceased"
    where = "over_age" if grown_up else child["left_to"]
    key = f"left.{where}" if f"left.{where}" in words.messages else "left.unknown"
    text = words(key, since=words.month(left_on, london_today()))
    if where not in NO_YEAR_GROUP:
        return f"{year}, {text}"
    return text[:1].upper() + text[1:] if begins else text
