"""After a jump in absence, a model trained before it mistakes ordinary children for children at risk, or the reverse."""

from __future__ import annotations

import narwhals as nw

from histories.checks.profile import school_years
from histories.reading.histories import Histories
from histories.rules.rule import Rule, listed

JUMP = 1 / 3
MIN = 2000  # marks of a year below which its share says little


def broken(h: Histories, table: str) -> nw.LazyFrame:
    """Return the school years whose absence rate differs strongly from the year before."""
    share = {y: m["absent"] / m["all"] for y, m in school_years(h).items() if m["all"] >= MIN}
    pairs = {y: (share[y - 1], s) for y, s in share.items() if y - 1 in share}
    return listed(h, [y for y, (before, now) in pairs.items() if abs(now - before) > JUMP * max(before, 1e-9)])


RULE = Rule(
    code="H065",
    severity="warning",
    title="years whose absence rate changed by a third from the year before",
    reason=__doc__,
    do="Did attendance change, or the codes, or what was sent?",
    places=("attendance",),
    broken=broken,
)
