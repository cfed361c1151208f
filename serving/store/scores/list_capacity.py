"""The capacity that a list was made with: it is stored with the list, so that what the list promised stays what it was."""

from __future__ import annotations

import json
from collections.abc import Mapping

import sqlalchemy as sa

from serving.store.cases.tables import Capacity


def now(connection: sa.Connection, per_week: int | None) -> dict[str, str]:
    """Return, for each authority that has set a capacity and for ``""`` that stands for any other, what a list of this moment stores.

    Parameters
    ----------
    per_week : int, optional
        The capacity of teams that have set none.
    """
    teams: dict[str, dict[str, int]] = {"": {}}
    for r in connection.execute(sa.select(Capacity.authority, Capacity.team, Capacity.per_week)):
        teams.setdefault(r.authority, {})[r.team] = r.per_week
    default = {} if per_week is None else {"per_week": per_week}
    return {authority: json.dumps({**default, **({"teams": of} if of else {})}) for authority, of in teams.items()}


def of_authority(stored: str) -> int | None:
    """Return the capacity of the whole authority, or else the sum of its teams, or else the default; None if the list does not hold it.

    Examples
    --------
    >>> of_authority('{"per_week": 20, "teams": {"north": 4, "south": 5}}'), of_authority('{"per_week": 20}'), of_authority("{}")
    (9, 20, None)
    """
    kept = json.loads(stored)
    return whole(kept["teams"]) if kept.get("teams") else kept.get("per_week")


def of_team(stored: str, team: str) -> int | None:
    """Return the capacity of a team, or else the default; None if the list does not hold it.

    Examples
    --------
    >>> [of_team('{"per_week": 20, "teams": {"north": 9}}', team) for team in ("", "north")], of_team("{}", "")
    ([20, 9], None)
    """
    kept = json.loads(stored)
    return kept.get("teams", {}).get(team, kept.get("per_week"))


def teams_of(stored: str) -> tuple[tuple[str, int], ...]:
    """Return the capacity of each team that had one, with that of the whole authority under "" if it was set.

    Examples
    --------
    >>> teams_of('{"per_week": 20, "teams": {"north": 4, "": 9}}'), teams_of("{}")
    ((('', 9), ('north', 4)), ())
    """
    return tuple(sorted(json.loads(stored).get("teams", {}).items()))


def whole(teams: Mapping[str, int]) -> int:
    """Return the capacity of an authority from those of its teams: that of the whole authority, or else their sum."""
    return teams[""] if "" in teams else sum(teams.values())
