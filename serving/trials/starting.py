"""What a trial gives to the team when it starts: whom to help now, an order, or the day on which each begins."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from serving.trials.eligible import due_days
from serving.trials.order import keys, lots, places
from serving.trials.plan import HELP_NOW, Plan
from serving.trials.wedge.lot import step_named

DEADLINE = "deadline"


def for_the_team(plan: Plan, rows: pl.DataFrame, salt: str, day: date) -> pl.DataFrame:
    """Return the rows of the team's file.

    Parameters
    ----------
    rows : polars.DataFrame
        See ``serving.trials.eligible.Eligible``, with ``arm``.

    Returns
    -------
    polars.DataFrame
        ``pupil_id, rank, why`` of those to help now; or ``pupil_id, place, why`` of all in their order, which does not show an arm; or
        ``pupil_id, rank, begins_on, why`` of all. ``why`` is the arm or the exception.
    """
    if plan.of.arms == "order":
        return _in_order(plan, rows, salt)
    if plan.of.arms == "wedge":
        return _by_step(plan, rows, day)
    why = pl.when(pl.col("arm") == HELP_NOW).then(pl.lit(HELP_NOW)).otherwise(pl.lit(DEADLINE)).alias("why")
    return rows.filter((pl.col("arm") == HELP_NOW) | pl.col("deadline")).select("pupil_id", "rank", why)


def _in_order(plan: Plan, rows: pl.DataFrame, salt: str) -> pl.DataFrame:
    lot = lots(plan.of.seed, salt, len(rows))[rows["number"].to_numpy()]
    risk, due = -rows["rank"].to_numpy().astype(float), due_days(rows)
    of_first, of_second = (keys(order, risk, due, lot) for order in plan.of.orders)
    first, soon = (rows["arm"] == plan.of.arm_names[0]).to_numpy(), rows["deadline"].to_numpy()
    place = pl.Series("place", np.asarray(places(first, of_first, of_second, soon)) + 1)
    why = pl.when(pl.col("deadline")).then(pl.lit(DEADLINE)).otherwise(pl.lit("in_order")).alias("why")
    return rows.with_columns(place).sort("place").select("pupil_id", "place", why)


def _by_step(plan: Plan, rows: pl.DataFrame, day: date) -> pl.DataFrame:
    begins = [
        day if deadline else plan.begins_on(day, step_named(arm))
        for arm, deadline in rows.select("arm", "deadline").iter_rows()
    ]
    why = pl.when(pl.col("deadline")).then(pl.lit(DEADLINE)).otherwise(pl.col("arm")).alias("why")
    dated = rows.with_columns(pl.Series("begins_on", begins, pl.Date))
    return dated.sort("begins_on", "rank").select("pupil_id", "rank", "begins_on", why)
