"""When the share of absence jumps, a model trained before it reads an ordinary child as one at risk, or the other way round."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import school_years
from histories.reading.histories import Histories
from histories.rules.rule import Rule, listed

JUMP = 1 / 3
MIN = 2000  # marks of a year below which its share says little


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the school years whose absence is far from that of the year before."""
    share = {y: m["absent"] / m["all"] for y, m in school_years(h).items() if m["all"] >= MIN}
    pairs = {y: (share[y - 1], s) for y, s in share.items() if y - 1 in share}
    return listed(h, [y for y, (before, now) in pairs.items() if abs(now - before) > JUMP * max(before, 1e-9)])


RULE = Rule(
    code="H065",
    severity="warning",
    title="years whose share of absence changed by a third against the year before",
    reason=__doc__,
    do="Is it the schools, or a change in codes or in what was sent?",
    places=("attendance",),
    broken=broken,
)
