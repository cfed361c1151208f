"""The meaning of a code changes with the law; one used outside its period may be a slip for another."""

from __future__ import annotations

import narwhals as nw
import pyarrow as pa

from histories.calendar import day_of
from histories.checks.profile import marks
from histories.codes import attendance_codes
from histories.reading.histories import Histories
from histories.rules.rule import Rule


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the marks whose code was not valid on their date."""
    out: set[tuple[int, str]] = set()
    for day, _, code, _ in marks(h):
        declared = attendance_codes().get(code)
        early = declared and declared.since and day_of(day) < declared.since
        late = declared and declared.until and day_of(day) > declared.until
        if early or late:
            out.add((day, code))
    days, codes = [d for d, _ in out], [c for _, c in out]
    pairs = pa.table({"date": pa.array(days, pa.int32()), "code": pa.array(codes, pa.string())})
    return h.frame(table).join(h.given(pairs), on=["date", "code"], how="semi")


RULE = Rule(
    code="H002",
    severity="warning",
    title="codes that were not valid on their date",
    reason=__doc__,
    do="Check the codes; they are still counted.",
    places=("attendance",),
    broken=broken,
)
