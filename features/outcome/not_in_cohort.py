"""Days and children that were asked about and are not in the cohort: a list without them reads as if nothing were the matter, so each is told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import narwhals as nw
import polars as pl

from histories.reading.frames import gathered
from histories.reading.histories import Histories

WHY = "on no roll as known then, of another age, or with an open case of missing education"
NOBODY = f"nobody is in the cohort: every child is {WHY}"
CHOOSE = "Choose a day within the records (onroll doctor names them), or another cohort."


def warnings_of_empty_days(asked: Iterable[date], in_cohort: Iterable[date]) -> list[str]:
    """Return a warning if nobody is in the cohort as of a day that was asked about.

    Parameters
    ----------
    asked : iterable of date
    in_cohort : iterable of date
        The days of the snapshots that were found.
    """
    empty = sorted(set(asked) - set(in_cohort))
    if not empty:
        return []
    which = f"{empty[0]}" if len(empty) == 1 else f"{len(empty)} days from {empty[0]} on"
    return [f"as of {which}: {NOBODY}. {CHOOSE}"]


def days_in(file: Path) -> list[date]:
    """Return the days of the snapshots in a written matrix."""
    return pl.scan_parquet(file).select(pl.col("as_of").unique()).collect()["as_of"].to_list()


def warnings_without_score(histories: Histories, scored: int) -> list[str]:
    """Return a warning with the number of posted children who have no score.

    Parameters
    ----------
    scored : int
        How many children have one.
    """
    asked = len(gathered(histories.frame("pupils").select(nw.col("pupil_id")).unique()))
    if asked <= scored:
        return []
    return [f"tables.pupils: {asked - scored} of {asked} pupils are not in the cohort and have no score: {WHY}"]
