"""School context: rates among the other children at the school, shrunk to the mean of the authority or of its schools of the same kind."""

from __future__ import annotations

import narwhals as nw

from features.counting.shrinkage import MIN_OTHERS
from features.feature import Feature
from features.rates import rates
from features.sentences import fact

WORDS = {
    "school_absence_90d": (
        "absent_90",
        "possible_90",
        "Others at the school missed about {school_absence_90d:.1%} of sessions in the last 90 days",
        ("attendance",),
    ),
    "school_unauthorised_90d": (
        "unauthorised_90",
        "possible_90",
        "Others at the school missed about {school_unauthorised_90d:.1%} of sessions without permission or with no reason yet in the last 90 days",
        ("attendance",),
    ),
    "school_suspensions_365d": (
        "suspensions_365",
        "pupils",
        "About {school_suspensions_365d:per_100} suspensions for every 100 other children at the school in the last year",
        ("suspensions",),
    ),
    "school_joined_in_year_365d": (
        "in_year_entries_365",
        "pupils",
        "About {school_joined_in_year_365d:in_1000} others at the school joined it mid-year in the last year",
        ("enrolments",),
    ),
    "school_in_care_share": (
        "care_cin",
        "pupils",
        "About {school_in_care_share:in_1000} others at the school have a child in need plan",
        ("social_care",),
    ),
    "school_lost_730d": (
        "lost_730",
        "pupils",
        "About {school_lost_730d:in_1000} children left the school with no known destination in the last two years",
        ("enrolments",),
    ),
}
OF_KIND = {
    "school_lost_of_kind_730d": (
        "lost_730",
        "pupils",
        "About {school_lost_of_kind_730d:in_1000} children left the school with no known destination, shrunk to schools of its kind",
        ("enrolments", "schools"),
    ),
    "school_unauthorised_of_kind_90d": (
        "unauthorised_90",
        "possible_90",
        "Others at the school missed about {school_unauthorised_of_kind_90d:.1%} of sessions without permission or with no reason yet, shrunk to schools of its kind",
        ("attendance", "schools"),
    ),
}
FEW = f"fewer than {MIN_OTHERS} others at the school, or nothing to count among them"
FEATURES = [
    *rates("school", "school", WORDS, missing=FEW),
    *rates(
        "school", "school", OF_KIND, towards="kind", role="never_shown", missing=f"{FEW}, or the school has no phase"
    ),
    Feature(
        name="pupils_at_school",
        theme="school",
        expression=lambda: nw.when(nw.col("school_others") >= MIN_OTHERS).then(
            nw.col("school_others").cast(nw.Float64)
        ),
        says=(fact("A school of about {pupils_at_school:.0f} children"),),
        sources=("enrolments",),
        window=None,
        direction=0,
        role="context",
        unit="count",
        missing=FEW,
    ),
]
TALLIES: dict = {}
