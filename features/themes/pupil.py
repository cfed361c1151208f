"""About the pupil: age and year, which are context and never a reason."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature, plain
from features.sentences import fact

TALLIES: dict = {}
FEATURES = [
    Feature(
        name="year_group",
        theme="pupil",
        expression=plain("nc_year"),
        says=(
            fact("In Reception by age", 0, 1),
            fact("In Year {year_group:.0f} by age", 1),
        ),
        sources=("enrolments",),
        window=None,
        direction=0,
        role="context",
        unit="year",
    ),
    Feature(
        name="age_days_in_year",
        theme="pupil",
        expression=plain("age_in_year"),
        says=(fact("Age within the school year"),),
        sources=("pupils",),
        window=None,
        direction=0,
        role="never_shown",
        unit="days",
    ),
    Feature(
        name="term",
        theme="pupil",
        expression=plain("term_number"),
        says=(fact("Term {term:.0f} of the school year"),),
        sources=("enrolments",),
        window=None,
        direction=0,
        role="context",
        unit="term",
    ),
    Feature(
        name="days_into_year",
        theme="pupil",
        expression=plain("days_into_year"),
        says=(fact("{days_into_year:.0f} days after 1 September"),),
        sources=("enrolments",),
        window=None,
        direction=0,
        role="never_shown",
        unit="days",
    ),
    Feature(
        name="special_or_ap",
        theme="pupil",
        expression=lambda: nw.col("special_or_ap").cast(nw.Float64),
        says=(
            fact("At a special school or alternative provision", 1),
            fact("At a mainstream school", 0, 1),
        ),
        sources=("schools",),
        window=None,
        direction=0,
        role="context",
        unit="yes or no",
        missing="the school is not listed",
    ),
]
