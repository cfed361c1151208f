"""About the pupil: age and year, which are context and never a reason."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature, plain

TALLIES: dict = {}
FEATURES = [
    Feature("year_group", "pupil", plain("nc_year"), "In year {year_group:.0f} (0 is Reception)", "In year {year_group:.0f} (0 is Reception)", ("enrolments",), None, 0, "context", "year"),
    Feature("age_days_in_year", "pupil", plain("age_in_year"), "Age within the school year", "Age within the school year", ("pupils",), None, 0, "never_shown", "days"),
    Feature("term", "pupil", plain("term_number"), "Term {term:.0f} of the school year", "Term {term:.0f} of the school year", ("enrolments",), None, 0, "context", "term"),
    Feature("special_or_ap", "pupil", lambda: nw.col("special_or_ap").cast(nw.Float64), "At a special school or alternative provision", "At a mainstream school", ("schools",), None, 0, "context", "yes or no", "the school is not listed"),
]  # fmt: skip
