"""Registers are current, but rolls arrive with the next census: children who joined since then cannot be scored until it is imported."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule

MARKS = {"attendance": "date", "termly_attendance": "term_start"}


def joined_since(h: Histories, table: str) -> nw.LazyFrame:
    """Return the unknown pupils whose first mark is later than the newest entry to a roll; none if no pupil is known."""
    pupils = h.frame("pupils").select("pupil_id").unique()
    marked = h.frame(table).group_by("pupil_id").agg(nw.col(MARKS[table]).min().alias("first_mark"))
    matched = marked.join(pupils, on="pupil_id", how="semi").select(nw.len().alias("known"))
    newest = h.frame("enrolments").select(nw.col("entry_date").max().alias("newest"))
    unknown = marked.join(pupils, on="pupil_id", how="anti").join(newest, how="cross").join(matched, how="cross")
    return unknown.filter((nw.col("first_mark") > nw.col("newest")) & (nw.col("known") > 0)).select("pupil_id")


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the marks of the pupils in ``joined_since``."""
    return h.frame(table).join(joined_since(h, table), on="pupil_id", how="semi")


RULE = Rule(
    code="H009",
    severity="warning",
    title="marks of children who joined after the newest entry to a roll",
    reason=__doc__,
    do="Import the next School Census; until then these marks are not used.",
    places=tuple(MARKS),
    broken=broken,
    needs=("pupils", "enrolments"),
)
