"""The complete lists and their scores in force, for monitoring: across lists, not one child at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from serving.store.cases.tables import Capacity
from serving.store.scores import kept_numbers, list_capacity
from serving.store.scores.stored_scores import LISTED, SHOWN, of_authority
from serving.store.tables import ScoreList, StoredScore
from serving.store.unit_of_work import View

WHOLE = LISTED.where(ScoreList.thinned_at.is_(None))
SCHEMA = {
    "pupil_id": pl.String,
    "as_of": pl.Date,
    "model_version": pl.String,
    "authority": pl.String,
    "urn": pl.String,
    "band": pl.String,
    "rank": pl.Int64,
    "risk": pl.Float64,
    "list": pl.String,
}


@dataclass(frozen=True, kw_only=True)
class CompleteList:
    """One authority's scores as of a day by a model version, all of them stored.

    Attributes
    ----------
    children : int
        Scores in force.
    replaced : int
        Scores that were shown and then replaced by others of the same day and version; they take no part.
    mean_risk, mean_square : float
        Of the risks of the scores in force, and of their squares.
    missing_tables : tuple of str
        Tables without which its children were scored.
    purpose : str
        ``shown`` to teams, or ``shadow``: for monitoring only.
    capacity : int or None
        Children a week whom the authority could review when the list was made; None if that is not known.
    teams : tuple of tuple
        The same by team, for teams that had a capacity of their own; see ``list_capacity.teams_of``.
    stored_at : datetime or None
        When it was last stored.
    """

    authority: str
    as_of: date
    model: str
    model_version: str
    definition: str
    horizon_days: int
    children: int
    replaced: int
    mean_risk: float
    mean_square: float
    missing_tables: tuple[str, ...] = ()
    purpose: str = SHOWN
    capacity: int | None = None
    teams: tuple[tuple[str, int], ...] = ()
    stored_at: datetime | None = field(default=None, compare=False)

    @property
    def age(self) -> tuple[date, bool, datetime, int, str]:
        """By which lists are in order: of several of a day the one that teams are shown is the last, which is the one stored last."""
        version = self.model_version
        number = int(version) if version.isdecimal() else 0
        stored_at = self.stored_at or datetime.min.replace(tzinfo=UTC)
        return self.as_of, self.purpose == SHOWN, stored_at, number, version

    @property
    def place(self) -> str:
        """Which list it is, for messages."""
        return f"list of {self.as_of}, authority {self.authority}, version {self.model_version}"


def complete_lists(view: View) -> list[CompleteList]:
    """Return the complete lists of the caller's scope, oldest first. The calling code records that they were seen.

    A list of which retention has removed scores is complete no longer: held children alone would be judged in the place of all.
    """
    key = (StoredScore.authority, StoredScore.as_of, StoredScore.model_version)
    in_force = StoredScore.replaced_at.is_(None)
    query = (
        sa.select(
            *key,
            sa.func.max(StoredScore.model).label("model"),
            sa.func.max(StoredScore.definition).label("definition"),
            sa.func.max(StoredScore.horizon_days).label("horizon_days"),
            sa.func.sum(sa.case((in_force, 1), else_=0)).label("children"),
            sa.func.sum(sa.case((in_force, 0), else_=1)).label("replaced"),
            sa.func.avg(sa.case((in_force, StoredScore.risk))).label("mean_risk"),
            sa.func.avg(sa.case((in_force, StoredScore.risk * StoredScore.risk))).label("mean_square"),
        )
        .where(*view.caller.scope(StoredScore), WHOLE)
        .group_by(*key)
        .order_by(StoredScore.as_of, StoredScore.authority, StoredScore.model_version)
    )
    rows = [r for r in view.connection.execute(query).mappings() if r["children"]]
    missing, stored = _missing_tables(view), _as_stored(view)
    lists = []
    for r in rows:
        of = tuple(r[c.key] for c in key)
        lists.append(CompleteList(**r, missing_tables=missing[of], **stored[of]))
    return sorted(lists, key=lambda x: (x.as_of, x.authority, *x.age[1:]))


def shown_lists(lists: Iterable[CompleteList]) -> list[CompleteList]:
    """Return the one list of each authority and day that teams were shown: no challenger's, and of several the one stored last."""
    by_place = {(x.authority, x.as_of): x for x in sorted(lists, key=lambda x: x.age) if x.purpose == SHOWN}
    return list(by_place.values())


def _as_stored(view: View) -> dict[Any, dict[str, Any]]:
    """Return for each list why it was stored, with which capacity, and when."""
    query = sa.select(ScoreList.__table__).where(*of_authority(view.caller))
    return {
        (r["authority"], r["as_of"], r["model_version"]): {
            "purpose": r["purpose"],
            "capacity": list_capacity.of_authority(r["capacity"]),
            "teams": list_capacity.teams_of(r["capacity"]),
            "stored_at": r["stored_at"],
        }
        for r in view.connection.execute(query).mappings()
    }


def scores_of(view: View, lists: Sequence[CompleteList]) -> pl.DataFrame:
    """Return the scores in force of some lists, with the columns of ``SCHEMA``. The calling code records that they were seen."""
    keys = [(x.authority, x.as_of, x.model_version) for x in lists]
    place = sa.tuple_(StoredScore.authority, StoredScore.as_of, StoredScore.model_version)
    columns = [getattr(StoredScore, name) for name in SCHEMA if name != "list"]
    query = sa.select(*columns, StoredScore.list_name).where(
        *view.caller.scope(StoredScore), place.in_(keys), StoredScore.replaced_at.is_(None)
    )
    rows = [tuple(r) for r in view.connection.execute(query)] if keys else []
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").sort("as_of", "model_version", "authority", "rank")


def weekly_capacities(view: View) -> dict[str, int]:
    """Return the weekly capacity of each authority that has set one: that of the whole authority, or else the sum of its teams."""
    teams: dict[str, dict[str, int]] = {}
    for r in view.connection.execute(sa.select(Capacity.authority, Capacity.team, Capacity.per_week)):
        teams.setdefault(r.authority, {})[r.team] = r.per_week
    return {authority: list_capacity.whole(of) for authority, of in teams.items()}


def _missing_tables(view: View) -> dict[Any, tuple[str, ...]]:
    """Return the tables that the first child of each list was scored without; a list's scores are made together, from the same tables."""
    key = (StoredScore.authority, StoredScore.as_of, StoredScore.model_version)
    first = (
        sa.select(*key, sa.func.min(StoredScore.score_id).label("score_id"))
        .where(*view.caller.scope(StoredScore), StoredScore.replaced_at.is_(None))
        .group_by(*key)
        .subquery()
    )
    query = sa.select(*key, StoredScore.body).join(first, first.c.score_id == StoredScore.score_id)
    rows = view.connection.execute(query).all()
    return {tuple(r)[:3]: tuple(kept_numbers.missing_tables(view.connection, r.body)) for r in rows}
