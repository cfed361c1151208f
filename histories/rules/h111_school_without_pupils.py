"""The school has closed, or its return never arrived and its pupils are in no figure."""

from __future__ import annotations

import narwhals as nw

from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the schools without enrolments in authorities that have some; a national list holds many others."""
    used = h.frame("enrolments").select("urn").unique()
    schools = h.frame(table)
    authorities = (
        schools.join(used, on="urn", how="semi").select("authority").filter(~nw.col("authority").is_null()).unique()
    )
    return schools.join(used, on="urn", how="anti").join(authorities, on="authority", how="semi")


RULE = Rule(
    code="H111",
    severity="warning",
    title="schools of the authority that never had a pupil",
    reason=__doc__,
    do="Was its return imported, under the same number?",
    places=("schools",),
    broken=broken,
    needs=("enrolments",),
)
