"""Needs: special educational provision and young carers."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature, Tally, plain

SEN = ("sen",)
OPEN = lambda: (nw.col("age") >= 0) & nw.col("end_date").is_null()  # noqa: E731

TALLIES = {
    "sen_support": Tally("sen", lambda: OPEN() & (nw.col("provision") != "E")),
    "sen_plan": Tally("sen", lambda: OPEN() & (nw.col("provision") == "E")),
    "sen_semh": Tally("sen", lambda: OPEN() & (nw.col("primary_need") == "SEMH")),
    "sen_mld": Tally("sen", lambda: OPEN() & (nw.col("primary_need") == "MLD")),
    "sen_started_365": Tally("sen", None, None, 365),
    "sen_newest": Tally("sen", lambda: nw.col("age") >= 0, lambda: nw.col("age"), how="min"),
}
YES = "yes or no"

FEATURES = [
    Feature("sen_support", "needs", lambda: (nw.col("sen_support") > 0).cast(nw.Float64), "Receives SEN support", "Does not receive SEN support", SEN, None, 0, "reason", YES),
    Feature("sen_plan", "needs", lambda: (nw.col("sen_plan") > 0).cast(nw.Float64), "Has an education, health and care plan", "Has no education, health and care plan", SEN, None, 0, "reason", YES),
    Feature("need_semh", "needs", lambda: (nw.col("sen_semh") > 0).cast(nw.Float64), "The recorded need is social, emotional and mental health", "Another recorded need, or none", SEN, None, 0, "reason", YES),
    Feature("need_mld", "needs", lambda: (nw.col("sen_mld") > 0).cast(nw.Float64), "The recorded need is a moderate learning difficulty", "Another recorded need, or none", SEN, None, 0, "reason", YES),
    Feature("sen_changes_365d", "needs", plain("sen_started_365"), "Special educational provision began or changed in the last year", "No change of provision in the last year", SEN, 365, 0),
    Feature("days_since_sen_change", "needs", plain("sen_newest"), "Provision last changed {days_since_sen_change:.0f} days ago", "Provision last changed {days_since_sen_change:.0f} days ago", SEN, None, 0, "reason", "days", "no provision known"),
]  # fmt: skip
