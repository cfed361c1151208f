"""Which spell on a roll is a child's own as of a day, where a child has several: one rule for scores, duties and the status on rolls."""

from __future__ import annotations

from datetime import date

import narwhals as nw

from histories.calendar import day_number

NOT_ENDED = day_number(date.max)


def one_roll(spells: nw.LazyFrame) -> nw.LazyFrame:
    """Keep one spell of each snapshot.

    A current spell comes before all that have ended, and of those the one that was left last. Of several, a main or single registration
    comes before a subsidiary one, then the newest entry.

    Parameters
    ----------
    spells : LazyFrame
        Visible rows of ``enrolments``; see ``histories.reading.as_of.visible``.
    """
    is_over = nw.col("leaving_date") < nw.col("as_of")
    ended = nw.when(is_over).then(nw.col("leaving_date")).otherwise(nw.lit(NOT_ENDED))
    main = nw.when(nw.col("status") == "S").then(nw.lit(0)).otherwise(nw.lit(1))
    ordered = spells.with_columns(ended.alias("ended"), main.alias("main"))
    return ordered.unique(
        subset=["pupil_id", "as_of"], keep="last", order_by=["ended", "main", "entry_date", "urn"]
    ).drop("ended", "main")
