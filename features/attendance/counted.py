"""Which marks a feature of attendance counts: the evidence behind its sentence shows these and no others."""

from __future__ import annotations

import re

import narwhals as nw

from features.attendance.register import MEASURES
from histories.codes import ABSENCE_CODES

OF_RUNS = re.compile(r"absent|missed|runs?|present")
OF_MEASURE = re.compile(rf"\b({'|'.join(MEASURES)})_(?:\d+|year|lasting_\w+)\b")


def codes_counted(expression: nw.Expr) -> tuple[str, ...]:
    """Return the codes of the measures that an expression reads; every absence if it reads others, such as the length of a run.

    A silent register is no mark: of sessions that the school only held nothing is counted.

    Examples
    --------
    >>> codes_counted(nw.col("no_reason_28") / nw.col("possible_28")), codes_counted(nw.col("late_90"))
    (('O', 'N'), ('L', 'U'))
    >>> codes_counted(nw.col("possible_28") - nw.col("school_possible_28"))
    ()
    >>> codes_counted(nw.col("longest_run_90")) == codes_counted(nw.col("absent_28")) == ABSENCE_CODES
    True
    """
    text = repr(expression)
    read = dict.fromkeys(OF_MEASURE.findall(text))
    if [*read] == ["possible"] and not OF_RUNS.search(text):
        return ()
    codes = [code for measure in read if measure != "possible" for code in MEASURES[measure]]
    return tuple(dict.fromkeys(codes)) or ABSENCE_CODES
