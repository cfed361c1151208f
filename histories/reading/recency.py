"""Whether a day lies so far behind the newest records that what was known then is not in the histories."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from histories.calendar import EPOCH
from histories.reading.histories import Histories

LONG = timedelta(days=60)  # the summer holidays are shorter


def warnings_of_late_days(histories: Histories, days: Iterable[date]) -> list[str]:
    """Return a warning if days lie long after the newest records of schooling: their features count nothing of the time between.

    Neither posted rows nor those on Spark are looked at: of a few children the newest record says little, and on Spark it is a job.
    """
    if histories.engine not in ("duckdb", "polars"):
        return []
    newest = histories.last_known()
    if newest == EPOCH:
        return ["the histories hold no record of schooling: whatever is counted from it is nothing, or missing"]
    late = sorted(day for day in set(days) if day - newest > LONG)
    if not late:
        return []
    which = f"{late[0]}" if len(late) == 1 else f"{len(late)} days from {late[0]} on"
    return [
        f"as of {which}: the newest records of schooling are of {newest}, and features take the time since for one in which nothing "
        "happened. Bring newer records, or choose an earlier day."
    ]
