"""The stored list of a plan: the newest of its authority and day."""

from __future__ import annotations

import polars as pl
import sqlalchemy as sa

from histories.errors import Fault, Faults
from serving.store.scores.complete_lists import CompleteList, complete_lists
from serving.store.tables import ScoreList
from serving.store.unit_of_work import View
from serving.trials.plan import ListPlan


def stored_list(view: View, plan: ListPlan, file: str) -> CompleteList:
    """Return the list of a plan; of several versions the one that was stored last, which the pages show.

    Raises
    ------
    Faults
        If there is none.
    """
    place = (plan.authority, plan.as_of)
    lists = {x.model_version: x for x in complete_lists(view) if (x.authority, x.as_of) == place}
    if not lists:
        do = f"Store it first: onroll score HISTORIES --as-of {plan.as_of} --out FILE --store."
        raise Faults(Fault("there is no stored list of this authority and day", f"{file}, as_of", do))
    query = sa.select(ScoreList.model_version).where(
        ScoreList.authority == plan.authority, ScoreList.as_of == plan.as_of, ScoreList.model_version.in_(list(lists))
    )
    newest = view.connection.scalars(query.order_by(ScoreList.stored_at.desc(), ScoreList.model_version.desc()))
    return lists[str(newest.first())]


def in_order(scores: pl.DataFrame, plan: ListPlan) -> pl.DataFrame:
    """Return the children of the plan's part of a list, the highest risk first."""
    return scores.sort("rank").filter(pl.lit(plan.list == "both") | (pl.col("list") == plan.list))
