"""Rules on dates and spells: ends before starts, overlaps, doubles, and marks where no child was on a roll."""

from __future__ import annotations

import narwhals as nw

from histories.opening import Histories
from histories.rules.rule import Rule
from histories.tables import TABLES

SPELLS_OF = {
    t.table: next(c for c in ("entry_date", "start_date", "missing_from") if c in t.columns)
    for t in TABLES.values()
    if t.end
}
RECORDED = [
    t.table
    for t in TABLES.values()
    if "recorded_on" in t.columns and t.table not in ("enrolments", "admissions", "interventions")
]
HAPPENED = {"attendance": "date", "termly_attendance": "term_end"}


def _ends_before_it_starts(table: str):  # type: ignore[no-untyped-def]
    start, end = SPELLS_OF[table], TABLES[table].end
    return lambda h: h.frame(table).filter(nw.col(end) < nw.col(start))  # type: ignore[arg-type]


def _recorded_too_soon(table: str):  # type: ignore[no-untyped-def]
    happened = HAPPENED.get(table, "start_date")
    return lambda h: h.frame(table).filter(nw.col("recorded_on") < nw.col(happened))


def _double(table: str):  # type: ignore[no-untyped-def]
    key = [*TABLES[table].key, "known"]
    return lambda h: h.frame(table).group_by(*key).agg(nw.len().alias("times")).filter(nw.col("times") > 1)


def _pupil_without_roll(h: Histories) -> nw.LazyFrame:
    return h.frame("pupils").join(h.frame("enrolments").select("pupil_id").unique(), on="pupil_id", how="anti")


def _overlapping(h: Histories) -> nw.LazyFrame:
    own = h.frame("enrolments").filter(nw.col("status").is_null() | nw.col("status").is_in(["C", "M"]))
    own = own.unique(subset=["pupil_id", "urn", "entry_date"], keep="last", order_by=["known", "leaving_date"])
    after = nw.col("entry_date").shift(-1).over("pupil_id", order_by=["entry_date", "urn"])
    return own.with_columns(after.alias("next_entry")).filter(
        ~nw.col("next_entry").is_null()
        & (nw.col("leaving_date").is_null() | (nw.col("leaving_date") > nw.col("next_entry")))
    )


def _age_out_of_range(h: Histories) -> nw.LazyFrame:
    born = h.frame("pupils").select("pupil_id", "date_of_birth")
    days = nw.col("entry_date") - nw.col("date_of_birth")
    return h.frame("enrolments").join(born, on="pupil_id", how="inner").filter((days < 2 * 365) | (days > 20 * 365))


def _mark_outside_roll(h: Histories) -> nw.LazyFrame:
    """Days of marks on which the child was on no roll; counted by pupil and day."""
    days = (
        h.frame("attendance")
        .group_by("pupil_id")
        .agg(nw.col("date").min().alias("first"), nw.col("date").max().alias("last"))
    )
    rolls = h.frame("enrolments").with_columns(
        nw.when(nw.col("leaving_date").is_null()).then(nw.lit(10**6)).otherwise(nw.col("leaving_date")).alias("until")
    )
    rolls = rolls.group_by("pupil_id").agg(
        nw.col("entry_date").min().alias("entry"), nw.col("until").max().alias("until")
    )
    return days.join(rolls, on="pupil_id", how="left").filter(
        nw.col("entry").is_null() | (nw.col("first") < nw.col("entry")) | (nw.col("last") > nw.col("until"))
    )


def _two_marks(h: Histories) -> nw.LazyFrame:
    """Sessions with two marks recorded on one day; a correction is recorded on a later one."""
    key = ("pupil_id", "date", "session", "known")
    return h.frame("attendance").group_by(*key).agg(nw.len().alias("times")).filter(nw.col("times") > 1)


DO_END = "Correct one of the two dates."
SPELLS = [
    *(Rule(f"H{n:03}", "error", t, "a spell ends before it starts", DO_END, _ends_before_it_starts(t)) for n, t in enumerate(SPELLS_OF, start=1)),
    *(Rule(f"H{n:03}", "warning", t, "a row was recorded before it happened", "Look at the dates; a planned thing is fine.", _recorded_too_soon(t)) for n, t in enumerate(RECORDED, start=20)),
    *(Rule(f"H{n:03}", "error", t, "two rows with the same key were recorded on the same day", "Keep one, or give the correction its own recorded_on.", _double(t))
      for n, t in enumerate((t for t in TABLES if t != "attendance"), start=40)),
    Rule("H060", "warning", "pupils", "pupils who were never on a roll", "They are never scored; is a return missing?", _pupil_without_roll, ("enrolments",)),
    Rule("H061", "warning", "enrolments", "spells at main schools overlap", "The newest entry counts; ask the schools which is right.", _overlapping),
    Rule("H062", "warning", "enrolments", "entry at an age under 2 or over 20", "Look at the date of birth and the entry.", _age_out_of_range, ("pupils",)),
    Rule("H064", "error", "attendance", "two marks for one session were recorded on the same day", "Keep one, or give the correction its own recorded_on; else both are counted.", _two_marks),
    Rule("H063", "warning", "attendance", "pupils with marks before their first or after their last day on a roll", "Is a spell missing from enrolments?", _mark_outside_roll, ("enrolments",)),
]  # fmt: skip
