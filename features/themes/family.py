"""Family and social care: episodes of help, by how recent they are."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature, Tally, plain

CARE = ("social_care",)
OPEN = lambda: (nw.col("age") >= 0) & nw.col("end_date").is_null()  # noqa: E731
KINDS = {
    "early_help": "Early help",
    "assessment": "An assessment by social care",
    "cin": "Child in need support",
    "cpp": "A child protection plan",
    "cla": "Being looked after",
}

TALLIES = {
    **{f"care_{k}": Tally("social_care", lambda k=k: OPEN() & (nw.col("kind") == k)) for k in KINDS},  # type: ignore[misc]
    "referrals_365": Tally("social_care", lambda: nw.col("kind") == "referral", None, 365),
    "runaways_365": Tally("social_care", lambda: nw.col("kind") == "missing", None, 365),
    "runaways_all": Tally("social_care", lambda: nw.col("kind") == "missing"),
    "care_all": Tally("social_care", lambda: ~nw.col("kind").is_in(["missing", "referral"])),
    "care_newest": Tally("social_care", lambda: nw.col("kind") != "missing", lambda: nw.col("age"), how="min"),
    "care_closed": Tally(
        "social_care",
        lambda: nw.col("kind").is_in(["cin", "cpp", "early_help"]) & ~nw.col("end_date").is_null(),
        lambda: nw.col("as_of") - nw.col("end_date"),
        how="min",
    ),
}
YES = "yes or no"

FEATURES = [
    *(Feature(f"{k}_open", "family", lambda k=k: (nw.col(f"care_{k}") > 0).cast(nw.Float64), f"{words} is under way", f"{words} is not under way", CARE, None, 0, "reason", YES)  # type: ignore[misc]
      for k, words in KINDS.items()),
    Feature("referrals_365d", "family", plain("referrals_365"), "Referred to social care {referrals_365d:.0f} time(s) in the last year", "Not referred to social care in the last year", CARE, 365, 1),
    Feature("missing_episodes_365d", "family", plain("runaways_365"), "Missing from home or care {missing_episodes_365d:.0f} time(s) in the last year", "Not missing from home or care in the last year", CARE, 365, 1),
    Feature("missing_episodes_all", "family", plain("runaways_all"), "Missing from home or care {missing_episodes_all:.0f} time(s) in all", "Never missing from home or care", CARE, None, 1),
    Feature("care_episodes_all", "family", plain("care_all"), "Known to early help or social care {care_episodes_all:.0f} time(s)", "Not known to early help or social care", CARE, None, 0),
    Feature("days_since_care_started", "family", plain("care_newest"), "The newest episode began {days_since_care_started:.0f} days ago", "The newest episode began {days_since_care_started:.0f} days ago", CARE, None, 0, "reason", "days", "no episode known"),
    Feature("days_since_care_closed", "family", plain("care_closed"), "Help ended {days_since_care_closed:.0f} days ago", "Help ended {days_since_care_closed:.0f} days ago", CARE, None, 0, "reason", "days", "no early help or plan that ended is known"),
    Feature("siblings_in_cohort", "family", plain("siblings"), "{siblings_in_cohort:.0f} other child(ren) at the same address", "{siblings_in_cohort:.0f} other child(ren) at the same address", ("addresses",), None, 0, "context"),
    Feature("siblings_absence_90d", "family", lambda: nw.when(nw.col("siblings_possible") > 0).then(nw.col("siblings_absent").cast(nw.Float64) / nw.col("siblings_possible").cast(nw.Float64)),
            "Children at the same address missed {siblings_absence_90d:.0%} of sessions in the last 90 days", "Children at the same address missed {siblings_absence_90d:.0%} of sessions in the last 90 days", ("addresses", "attendance"), None, 1, "reason", "share", "no sessions of others at the address in 90 days, or no address"),
]  # fmt: skip
