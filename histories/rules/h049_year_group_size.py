"""Birth years differ by a few per cent; a year group that stands out was returned twice, or not at all by some schools."""

from __future__ import annotations

import narwhals as nw

from histories.calendar import day_of
from histories.checks.profile import newest_day
from histories.reading.histories import Histories
from histories.rules.days import births, main_rolls, school_year
from histories.rules.rule import Rule, listed

MIN = 100  # pupils of a year below which chance makes a third


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the school-age birth years with an unusual number on roll."""
    now = newest_day(h)
    on_roll = main_rolls(h).filter((nw.col("entry_date") <= now) & (nw.col("until") >= now)).select("pupil_id").unique()
    born = births(h).join(on_roll, on="pupil_id", how="semi").select(school_year(nw.col("date_of_birth")).alias("born"))
    counts = born.group_by("born").agg(nw.len().alias("n")).collect()
    today = day_of(now)
    oldest = today.year - (today.month < 9) - 16
    size = {
        b: n for b, n in zip(counts["born"].to_list(), counts["n"].to_list(), strict=True) if oldest <= b < oldest + 11
    }
    beside = {b: (size[b - 1] + size[b + 1]) / 2 for b in size if b - 1 in size and b + 1 in size}
    return listed(h, [b for b, usual in beside.items() if usual >= MIN and abs(size[b] - usual) > usual / 3])


RULE = Rule(
    code="H049",
    severity="warning",
    title="year groups a third larger or smaller than their neighbours",
    reason=__doc__,
    do="Count that year group by school.",
    places=("enrolments",),
    broken=broken,
    needs=("pupils",),
)
