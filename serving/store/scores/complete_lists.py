"""The complete lists and their scores in force, for monitoring: across lists, not one child at a time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
import sqlalchemy as sa

from serving.store.cases.tables import Capacity
from serving.store.scores.stored_scores import LISTED
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
    mean_risk : float
        Of the scores in force.
    missing_tables : tuple of str
        Tables without which its children were scored.
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
    missing_tables: tuple[str, ...] = ()

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
        )
        .where(*view.caller.scope(StoredScore), WHOLE)
        .group_by(*key)
        .order_by(StoredScore.as_of, StoredScore.authority, StoredScore.model_version)
    )
    rows = [r for r in view.connection.execute(query).mappings() if r["children"]]
    missing = _missing_tables(view)
    return [CompleteList(**r, missing_tables=missing[tuple(r[c.key] for c in key)]) for r in rows]


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
    whole: dict[str, int] = {}
    teams: dict[str, int] = {}
    for r in view.connection.execute(sa.select(Capacity.authority, Capacity.team, Capacity.per_week)):
        if r.team:
            teams[r.authority] = teams.get(r.authority, 0) + r.per_week
        else:
            whole[r.authority] = r.per_week
    return {**teams, **whole}


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
    return {tuple(r)[:3]: tuple(json.loads(r.body).get("missing_tables", ())) for r in view.connection.execute(query)}
