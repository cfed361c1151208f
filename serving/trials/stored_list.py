"""The stored list of a plan: the newest of its authority and day."""

from __future__ import annotations

import json

import polars as pl
import sqlalchemy as sa

from histories.errors import Fault, Faults
from serving.store.scores.complete_lists import CompleteList, complete_lists
from serving.store.scores.stored_scores import SHOWN
from serving.store.tables import ScoreList
from serving.store.unit_of_work import View
from serving.trials.plan import ListPlan


def stored_list(view: View, plan: ListPlan, file: str) -> CompleteList:
    """Return the list of a plan: the one that teams are shown, of several the one that was stored last.

    Raises
    ------
    Faults
        If there is none, or its version was withdrawn or rolled back from.
    """
    place = (plan.authority, plan.as_of)
    shown = [x for x in complete_lists(view) if (x.authority, x.as_of) == place and x.purpose == SHOWN]
    lists = [x for x in shown if x.model_version not in view.taken_back]
    if not lists:
        what, do = "there is no stored list of this authority and day", "Store it first"
        if shown:
            what = f"the list of this authority and day was made by version {shown[-1].model_version}, which was taken back"
            do = "Nobody is drawn from it. Store one of the version that serves"
        do += f": onroll score HISTORIES --as-of {plan.as_of} --out FILE --store."
        raise Faults(Fault(what, f"{file}, as_of", do))
    return max(lists, key=lambda x: x.age)


def sources_of(view: View, of: CompleteList) -> dict[str, str]:
    """Return the newest day of each table that a list was made from; empty if it was stored without. The calling code records the view."""
    place = (ScoreList.authority == of.authority, ScoreList.as_of == of.as_of)
    found = view.connection.scalar(
        sa.select(ScoreList.sources).where(*place, ScoreList.model_version == of.model_version)
    )
    return json.loads(found) if found else {}


def in_order(scores: pl.DataFrame, plan: ListPlan) -> pl.DataFrame:
    """Return the children of the plan's part of a list, the highest risk first."""
    return scores.sort("rank").filter(pl.lit(plan.list == "both") | (pl.col("list") == plan.list))
