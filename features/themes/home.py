"""Home and area: moves of home, temporary accommodation and the neighbourhood."""

from __future__ import annotations

import narwhals as nw

from features.counting.shrinkage import LEAST_OTHERS, shrunk
from features.feature import Feature, Tally, plain

ADDRESSES = ("addresses",)
OPEN = lambda: (nw.col("age") >= 0) & nw.col("end_date").is_null()  # noqa: E731

TALLIES = {
    **{f"home_starts_{d}": Tally("addresses", None, None, d) for d in (90, 365, 730)},
    "homes_all": Tally("addresses", lambda: nw.col("age") >= 0),
    "temporary_now": Tally("addresses", lambda: OPEN() & nw.col("temporary")),
    "temporary_all": Tally("addresses", lambda: (nw.col("age") >= 0) & nw.col("temporary")),
    "home_newest": Tally("addresses", lambda: nw.col("age") >= 0, lambda: nw.col("age"), how="min"),
    "idaci": Tally(
        "addresses",
        lambda: nw.col("age") >= 0,
        lambda: nw.col("age") * 16 + nw.col("idaci_decile"),
        how="min",
    ),
}

FEW = f"no area known, fewer than {LEAST_OTHERS} others in it, or nothing to count among them"
AREA = {
    "area_absence_90d": (
        "absent_90",
        "possible_90",
        "Other children of the area missed {area_absence_90d:.1%} of sessions in the last 90 days",
        ("addresses", "attendance"),
    ),
    "area_moves_730d": (
        "home_starts_730",
        "pupils",
        "{area_moves_730d:.2f} moves of home for each other child of the area in two years",
        ("addresses",),
    ),
    "area_lost_730d": (
        "lost_730",
        "pupils",
        "{area_lost_730d:.2%} of the children of the area left a school in two years with nowhere known to go",
        ("addresses", "enrolments"),
    ),
}

FEATURES = [
    *(Feature(f"home_moves_{d}d", "home", plain(f"home_starts_{d}"), f"Moved home {{home_moves_{d}d:.0f}} time(s) in the last {d} days", f"Has not moved home in the last {d} days", ADDRESSES, d, 1) for d in (90, 365, 730)),
    Feature("homes_known", "home", plain("homes_all"), "{homes_known:.0f} home(s) known in all", "{homes_known:.0f} home(s) known in all", ADDRESSES, None, 0),
    Feature("temporary_home", "home", lambda: (nw.col("temporary_now") > 0).cast(nw.Float64), "Lives in temporary accommodation", "Does not live in temporary accommodation, as far as known", ADDRESSES, None, 1, "reason", "yes or no"),
    Feature("temporary_homes_all", "home", plain("temporary_all"), "Has lived in temporary accommodation {temporary_homes_all:.0f} time(s)", "Has not lived in temporary accommodation, as far as known", ADDRESSES, None, 1),
    Feature("days_at_home", "home", plain("home_newest"), "Moved home {days_at_home:.0f} days ago", "At the same address for {days_at_home:.0f} days", ADDRESSES, None, 0, "reason", "days", "no address known"),
    Feature("idaci_decile", "home", lambda: (nw.col("idaci") % 16).cast(nw.Float64), "Lives in an area of income deprivation decile {idaci_decile:.0f} (1 is the most deprived)", "Lives in an area of income deprivation decile {idaci_decile:.0f} (1 is the most deprived)", ("addresses", "areas"), None, 0, "context", "decile", "no address known, or none of a listed area"),
    *(Feature(name, "home", shrunk("area", part, whole), text, text, tables, None, 0, "context", "share", FEW) for name, (part, whole, text, tables) in AREA.items()),
]  # fmt: skip
