"""Weekly lists: how long before going missing a child is listed, and how much lists change between weeks."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from features import label, matrix
from features.catalogue import catalogue
from features.outcome.cohort import cohort
from histories.calendar import term_dates
from histories.reading.histories import Histories
from training.fitting.partial_windows import learned_before
from training.fitting.rolling_origin import learn_from, matrix_of
from training.measures.metrics import listed, numbers
from training.pipeline import Trained
from training.task import ProgressCallback, Task, quiet

WEEKS = 10


def mondays(origin: date, weeks: int = WEEKS) -> list[date]:
    """Return an origin's day and the days of the same weekday after it, up to the end of its term.

    Examples
    --------
    >>> [d.isoformat() for d in mondays(date(2024, 12, 2))]
    ['2024-12-02', '2024-12-09', '2024-12-16']
    """
    year = origin.year - (origin.month < 9)
    end = next((t.end for t in term_dates(year) if t.start <= origin <= t.end), origin + timedelta(weeks=weeks))
    return [d for d in (origin + timedelta(weeks=n) for n in range(weeks)) if d <= end]


def week_by_week(
    histories: Histories, task: Task, trained: Trained, capacity: int, seed: int, advance: ProgressCallback = quiet
) -> dict[str, Any]:
    """List the highest risks of each authority in every week of the newest judged term, with a model trained before it.

    Parameters
    ----------
    capacity : int
        Children listed per authority and week.

    Returns
    -------
    dict
        ``weeks``; ``kept``, the mean share of a list that was on the previous week's list; ``new_children``, the mean number of children
        listed for the first time in a week; ``went_missing``, children who went missing within the window of any week, and how many of
        them were ever ``listed``; ``lead_days``, the quartiles of days from the first listing to going missing.
    """
    origin = trained.splits.test[-1]
    days = mondays(origin)
    score = trained.learn(learn_from(learned_before(trained.frame, origin), catalogue().names, seed))
    advance(description=f"{len(days)} weekly lists from {origin}")
    keys = ["pupil_id", "as_of"]
    x: Any = pl.from_arrow(matrix(histories, days, rule=task.rule))
    who: Any = pl.from_arrow(cohort(histories, days, task.rule))
    frame = x.join(who.select(*keys, "authority"), on=keys).sort(keys)
    margins = score(matrix_of(frame, catalogue().names))
    frame = frame.select(*keys, "authority").with_columns(
        pl.Series("on_list", listed(margins, numbers(frame, "authority", "as_of"), capacity))
    )
    y: Any = pl.from_arrow(label(histories, days, task.definition, task.horizon, rule=task.rule, until=task.until))
    lists = frame.filter("on_list")
    return {"weeks": [str(d) for d in days], "capacity": capacity, **churn(lists, days), **lead_time(lists, y)}


def lead_time(lists: pl.DataFrame, labels: pl.DataFrame) -> dict[str, Any]:
    """Return how many of those who went missing were listed before, and how many days before.

    Parameters
    ----------
    lists : polars.DataFrame
        ``pupil_id, as_of``, one row per listed child and week.
    labels : polars.DataFrame
        ``pupil_id, label, happened_on``.
    """
    went = labels.filter(pl.col("label") == 1).group_by("pupil_id").agg(pl.col("happened_on").min())
    first = lists.group_by("pupil_id").agg(pl.col("as_of").min().alias("first"))
    lead = went.join(first, on="pupil_id").filter(pl.col("first") <= pl.col("happened_on"))
    early = (lead["happened_on"] - lead["first"]).dt.total_days().to_numpy()
    days = [float(np.percentile(early, q)) for q in (25, 50, 75)] if len(early) else None
    return {"went_missing": len(went), "listed": len(lead), "lead_days": days}


def churn(lists: pl.DataFrame, days: list[date]) -> dict[str, Any]:
    """Return the mean share of a list that was on the previous week's list, and the mean number of children listed for the first time."""
    by_week = [set(lists.filter(pl.col("as_of") == d)["pupil_id"]) for d in days]
    kept, new, before = [], [], set(by_week[0])
    for last, now in pairwise(by_week):
        kept.append(len(last & now) / max(len(now), 1))
        new.append(len(now - before))
        before |= now
    mean = {"kept": float(np.mean(kept)), "new_children": float(np.mean(new))} if kept else {}
    return {"kept": None, "new_children": None, **mean}
