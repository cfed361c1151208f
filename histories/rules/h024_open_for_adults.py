"""An end that was never recorded keeps an adult on a roll or in care, so schools look larger and shares by group are wrong."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import newest_day
from histories.reading.histories import Histories
from histories.rules.days import YEAR, births, corrected
from histories.rules.rule import Rule
from histories.tables import TABLES

ADULT = 20


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the open spells of adults."""
    grown = births(h).filter(nw.col("date_of_birth") + ADULT * YEAR < newest_day(h))
    return corrected(h, table).filter(nw.col(str(TABLES[table].end)).is_null()).join(grown, on="pupil_id", how="semi")


RULE = Rule(
    code="H024",
    severity="warning",
    title=f"open spells of pupils over {ADULT}",
    reason=__doc__,
    do="Close the spells; was the leaving ever returned?",
    places=("enrolments", "fsm", "social_care"),
    broken=broken,
    needs=("pupils", "enrolments"),
)
