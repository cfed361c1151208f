"""Home and area: moves of home, temporary accommodation and the neighbourhood."""

from __future__ import annotations

import narwhals as nw

from features.counting.shrinkage import MIN_OTHERS
from features.feature import Feature, Tally, age, is_open, plain
from features.rates import rates
from features.sentences import YEAR, Condition, Sentence, counted_in_all, fact, last_days, past, strain, strength

ADDRESSES = ("addresses",)

TALLIES = {
    **{f"home_starts_{d}": Tally(table="addresses", where=None, value=None, days=d) for d in (90, 365, 730)},
    "homes_all": Tally(table="addresses", where=lambda: nw.col("age") >= 0),
    "temporary_now": Tally(table="addresses", where=lambda: is_open() & nw.col("temporary")),
    "temporary_newest": Tally(
        table="addresses", where=lambda: (nw.col("age") >= 0) & nw.col("temporary"), value=age, how="min"
    ),
    "temporary_all": Tally(table="addresses", where=lambda: (nw.col("age") >= 0) & nw.col("temporary")),
    "home_newest": Tally(table="addresses", where=lambda: nw.col("age") >= 0, value=age, how="min"),
    "idaci": Tally(
        table="addresses",
        where=lambda: nw.col("age") >= 0,
        value=lambda: nw.col("age") * 16 + nw.col("idaci_decile"),
        how="min",
    ),
}

FEW = f"no area known, fewer than {MIN_OTHERS} others in it, or nothing to count among them"
AREA = {
    "area_absence_90d": (
        "absent_90",
        "possible_90",
        "Other children in the area missed about {area_absence_90d:.1%} of sessions in the last 90 days",
        ("addresses", "attendance"),
    ),
    "area_moves_730d": (
        "home_starts_730",
        "pupils",
        "About {area_moves_730d:per_100} new addresses for every 100 other children in the area in the last two years",
        ("addresses",),
    ),
    "area_lost_730d": (
        "lost_730",
        "pupils",
        "About {area_lost_730d:in_1000} children in the area left a school with no known destination in the last two years",
        ("addresses", "enrolments"),
    ),
}


def _moves(days: int) -> tuple[Sentence, ...]:
    """Return the sentences about addresses that began in a window. The first known address is not a move."""
    name = f"home_moves_{days}d"
    known = f"Has lived at {{homes_known:.0f}} addresses that we know of, {{}} in {last_days(days)}"
    all_new: Condition = ("homes_known", "=", name)
    return (
        strain(f"Moved home {{{name}:times}} in {last_days(days)}", 1, None, ("homes_known", ">", name)),
        strain(known.replace("{}", "both"), 2, 3, all_new),
        strain(known.replace("{}", "all"), 3, None, all_new),
        strength(f"Has not moved home in {last_days(days)}", 0, 1, ("homes_known", ">", 0)),
    )


FEATURES = [
    *(
        Feature(
            name=f"home_moves_{d}d",
            theme="home",
            expression=plain(f"home_starts_{d}"),
            says=_moves(d),
            sources=ADDRESSES,
            window=d,
            direction=1,
        )
        for d in (90, 365, 730)
    ),
    Feature(
        name="homes_known",
        theme="home",
        expression=plain("homes_all"),
        says=past(
            "Has lived at {homes_known:.0f} addresses that we know of; moved to the latest {days_at_home:ago}",
            "days_at_home",
            at_least=3,
        ),
        sources=ADDRESSES,
        window=None,
        direction=0,
    ),
    Feature(
        name="temporary_home",
        theme="home",
        expression=lambda: (nw.col("temporary_now") > 0).cast(nw.Float64),
        says=(strain("Lives in temporary accommodation", 1),),
        sources=ADDRESSES,
        window=None,
        direction=1,
        role="reason",
        unit="yes or no",
    ),
    Feature(
        name="temporary_homes_all",
        theme="home",
        expression=plain("temporary_all"),
        says=counted_in_all("Moved into temporary accommodation", "temporary_homes_all", "temporary_newest"),
        sources=ADDRESSES,
        window=None,
        direction=1,
    ),
    Feature(
        name="days_at_home",
        theme="home",
        expression=plain("home_newest"),
        says=(
            strain("Moved home {days_at_home:ago}", 0, YEAR, ("homes_known", ">", 1)),
            strength("At the same address for more than two years", 2 * YEAR),
        ),
        sources=ADDRESSES,
        window=None,
        direction=0,
        role="reason",
        unit="days",
        missing="no address known",
    ),
    Feature(
        name="idaci_decile",
        theme="home",
        expression=lambda: (nw.col("idaci") % 16).cast(nw.Float64),
        says=(fact("Lives in an area in income deprivation decile {idaci_decile:.0f} of 10 (1 is the most deprived)"),),
        sources=("addresses", "areas"),
        window=None,
        direction=0,
        role="context",
        unit="decile",
        missing="no address known, or none of a listed area",
    ),
    *rates("home", "area", AREA, missing=FEW),
]
