"""Such a school has closed, or its return never came and its children are in no figure."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the schools on no spell, in authorities of schools that are; a national list holds many others."""
    used = h.frame("enrolments").select("urn").unique()
    schools = h.frame(table)
    own = schools.join(used, on="urn", how="semi").select("authority").filter(~nw.col("authority").is_null()).unique()
    return schools.join(used, on="urn", how="anti").join(own, on="authority", how="semi")


RULE = Rule(
    code="H111",
    severity="warning",
    title="schools of the authority that never had a pupil",
    reason=__doc__,
    do="Was its return imported, and under the same number?",
    places=("schools",),
    broken=broken,
    needs=("enrolments",),
)
