"""The primary outcome of each child of a trial, from the records alone: whoever measures it need not know the arm."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import narwhals as nw
import polars as pl

from features.attendance.register import MEASURES
from features.outcome.cohort import CohortRule
from features.outcome.definition import Definition
from features.outcome.known_until import newest_known
from histories.calendar import day_number, day_of, school_days
from histories.codes import ABSENCE_CODES
from histories.errors import Fault, Faults
from histories.reading.as_of import valid_marks
from histories.reading.frames import collect
from histories.reading.histories import Histories
from serving.monitoring.outcomes import outcomes_of

HOLIDAYS = 10  # school days of the calendar on which an authority's schools may be closed at the end of a trial's weeks
NO_MARKS = "no_mark_in_the_weeks"


def of_contacts(members: pl.DataFrame, spoken_to: Iterable[str]) -> pl.DataFrame:
    """Return whether somebody spoke with each child or the parents: ``pupil_id, value, lost``; nobody is lost."""
    spoken = pl.col("pupil_id").is_in(list(spoken_to)).cast(pl.Float64)
    return members.select("pupil_id", spoken.alias("value"), pl.lit(None, pl.String).alias("lost"))


def of_attendance(histories: Histories, members: pl.DataFrame, start: date, end: date) -> pl.DataFrame:
    """Return each child's share of possible sessions attended from ``start`` until before ``end``.

    Returns
    -------
    polars.DataFrame
        ``pupil_id, value, lost``: a child without a possible session is lost, with the reason.

    Raises
    ------
    Faults
        If there are no marks, or those of an authority of the trial end before the weeks do.
    """
    if "attendance" not in histories.present:
        do = "Import marks (onroll import marks), or plan another outcome."
        raise Faults(Fault("the histories have no attendance", "trial analyse", do))
    keys = histories.given(members.select("pupil_id").to_arrow())
    marks = histories.frame("attendance").filter(
        (nw.col("date") >= day_number(start)) & (nw.col("date") < day_number(end))
    )
    rows = collect(valid_marks(marks.join(keys, on="pupil_id", how="semi")).select("pupil_id", "date", "code"))
    _must_reach_the_end(rows.join(members.select("pupil_id", "authority"), on="pupil_id"), members, start, end)
    possible = rows.filter(pl.col("code").is_in(list(MEASURES["possible"])))
    attended = (~pl.col("code").is_in(list(ABSENCE_CODES))).mean().alias("value")
    joined = members.select("pupil_id").join(possible.group_by("pupil_id").agg(attended), on="pupil_id", how="left")
    lost = pl.when(pl.col("value").is_null()).then(pl.lit(NO_MARKS)).alias("lost")
    return joined.select("pupil_id", "value", lost)


def _must_reach_the_end(rows: pl.DataFrame, members: pl.DataFrame, start: date, end: date) -> None:
    """Raise ``Faults`` for each authority whose marks end long before the weeks do: the rest of them is not known yet, however new other tables are."""
    days = school_days(start, end - timedelta(days=1))
    needed = days[-1 - min(HOLIDAYS, len(days) // 3)] if days else start
    newest = dict(rows.group_by("authority").agg(pl.col("date").max()).iter_rows())
    faults = []
    for authority in members["authority"].unique().sort():
        last = day_of(newest[authority]) if authority in newest else None
        if last is None or last < needed:
            what = f"marks of authority {authority} end on {last}" if last else f"authority {authority} has no marks"
            do = "Import newer marks and analyse again; weeks without marks are no outcome."
            faults.append(Fault(f"{what}, and the weeks of the trial end before {end}", "trial analyse", do))
    if faults:
        raise Faults(faults)


def of_going_missing(
    histories: Histories,
    members: pl.DataFrame,
    definition: Definition,
    horizon: int,
    rule: CohortRule | None = None,
) -> pl.DataFrame:
    """Return whether each child went missing within the window of the list.

    Parameters
    ----------
    members : polars.DataFrame
        ``pupil_id, as_of, authority``.

    Returns
    -------
    polars.DataFrame
        ``pupil_id, value, lost``: a child without a label is lost, with the reason.

    Raises
    ------
    Faults
        If the window is not known yet.
    """
    known = newest_known(histories, definition, horizon)
    newest = min(known.of(authority) for authority in members["authority"].unique())
    if members["as_of"].max() > newest:  # type: ignore[operator]
        do = "Analyse with newer histories; a window that is not fully known is no outcome."
        raise Faults(Fault(f"outcomes are known for lists up to {newest} only", "trial analyse", do))
    scored = outcomes_of(histories, members, definition, horizon, rule).scored
    lost = pl.when(pl.col("label").is_null()).then(pl.col("fate")).alias("lost")
    return scored.select("pupil_id", pl.col("label").cast(pl.Float64).alias("value"), lost)
