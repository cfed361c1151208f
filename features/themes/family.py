"""Family and social care: episodes of help, by how recent they are."""

from __future__ import annotations

from collections.abc import Callable

import narwhals as nw

from features.feature import Feature, Tally, age, is_open, plain
from features.sentences import (
    HIGH_ABSENCE,
    LOW_ABSENCE,
    YEAR,
    Condition,
    counted_in_all,
    fact,
    past,
    strain,
    strength,
)

CARE = ("social_care",)
KINDS = {
    "early_help": "Early help",
    "assessment": "An assessment by social care",
    "cin": "Child in need support",
    "cpp": "A child protection plan",
    "cla": "Being looked after",
}


def _is_help() -> nw.Expr:
    return ~nw.col("kind").is_in(["missing", "referral"])


TALLIES = {
    **{f"care_{k}": Tally(table="social_care", where=lambda k=k: is_open() & (nw.col("kind") == k)) for k in KINDS},  # type: ignore[misc]
    "referrals_365": Tally(table="social_care", where=lambda: nw.col("kind") == "referral", value=None, days=365),
    "runaways_365": Tally(table="social_care", where=lambda: nw.col("kind") == "missing", value=None, days=365),
    "runaway_newest": Tally(table="social_care", where=lambda: nw.col("kind") == "missing", value=age, how="min"),
    "runaways_all": Tally(table="social_care", where=lambda: nw.col("kind") == "missing"),
    "care_all": Tally(table="social_care", where=_is_help),
    "help_newest": Tally(table="social_care", where=_is_help, value=age, how="min"),
    "care_newest": Tally(table="social_care", where=lambda: nw.col("kind") != "missing", value=age, how="min"),
    "care_closed": Tally(
        table="social_care",
        where=lambda: nw.col("kind").is_in(["cin", "cpp", "early_help"]) & ~nw.col("end_date").is_null(),
        value=lambda: nw.col("as_of") - nw.col("end_date"),
        how="min",
    ),
}
YES = "yes or no"
# That help ended is misleading to read while other help is under way.
NONE_OPEN: tuple[Condition, ...] = tuple((f"{kind}_open", "=", 0) for kind in ("early_help", "cin", "cpp"))


def _open(kind: str) -> Callable[[], nw.Expr]:
    return lambda: (nw.col(f"care_{kind}") > 0).cast(nw.Float64)


FEATURES = [
    *(
        Feature(
            name=f"{k}_open",
            theme="family",
            expression=_open(k),
            says=(strain(f"{words} is under way", 1),),
            sources=CARE,
            window=None,
            direction=0,
            role="reason",
            unit=YES,
        )
        for k, words in KINDS.items()
    ),
    Feature(
        name="referrals_365d",
        theme="family",
        expression=plain("referrals_365"),
        says=(
            strain("Referred to social care {referrals_365d:times} in the last year", 1),
            strength("Not referred to social care in the last year", 0, 1),
        ),
        sources=CARE,
        window=365,
        direction=1,
    ),
    Feature(
        name="missing_episodes_365d",
        theme="family",
        expression=plain("runaways_365"),
        says=(
            strain("Missing from home or care {missing_episodes_365d:times} in the last year", 1),
            strength("Not missing from home or care in the last year", 0, 1),
        ),
        sources=CARE,
        window=365,
        direction=1,
    ),
    Feature(
        name="missing_episodes_all",
        theme="family",
        expression=plain("runaways_all"),
        says=(
            *counted_in_all("Missing from home or care", "missing_episodes_all", "runaway_newest"),
            strength("Never missing from home or care, as far as the records show", 0, 1),
        ),
        sources=CARE,
        window=None,
        direction=1,
    ),
    Feature(
        name="care_episodes_all",
        theme="family",
        expression=plain("care_all"),
        says=(
            # A step, such as from an assessment to a plan, is an episode of its own, and the last one may still be under way.
            *past(
                "One episode of early help or social care is recorded; it began {help_newest:ago}",
                "help_newest",
                at_least=1,
                below=2,
            ),
            *past(
                "{care_episodes_all:.0f} episodes of early help or social care are recorded; the last began {help_newest:ago}",
                "help_newest",
                at_least=2,
            ),
            strength("No early help or social care is recorded", 0, 1),
        ),
        sources=CARE,
        window=None,
        direction=0,
    ),
    Feature(
        name="days_since_care_started",
        theme="family",
        expression=plain("care_newest"),
        says=(
            strain(
                "The most recent referral, or start of early help or social care, was {days_since_care_started:ago}",
                0,
                YEAR,
            ),
        ),
        sources=CARE,
        window=None,
        direction=0,
        role="reason",
        unit="days",
        missing="no episode known",
    ),
    Feature(
        name="days_since_care_closed",
        theme="family",
        expression=plain("care_closed"),
        says=(
            strain(
                "Early help, child in need support or a protection plan ended {days_since_care_closed:ago}",
                0,
                YEAR,
                *NONE_OPEN,
            ),
        ),
        sources=CARE,
        window=None,
        direction=0,
        role="reason",
        unit="days",
        missing="no early help or plan that ended is known",
    ),
    Feature(
        name="siblings_in_cohort",
        theme="family",
        expression=plain("siblings"),
        says=(fact("{siblings_in_cohort:.0f} other child(ren) at the same address", 1),),
        sources=("addresses",),
        window=None,
        direction=0,
        role="context",
    ),
    Feature(
        name="siblings_absence_90d",
        theme="family",
        expression=lambda: nw.when(nw.col("siblings_possible") > 0).then(
            nw.col("siblings_absent").cast(nw.Float64) / nw.col("siblings_possible").cast(nw.Float64)
        ),
        says=(
            strain(
                "Children at the same address missed {siblings_absence_90d:share} sessions in the last 90 days",
                HIGH_ABSENCE,
            ),
            strength(
                "Children at the same address missed {siblings_absence_90d:share} sessions in the last 90 days",
                0,
                LOW_ABSENCE,
            ),
        ),
        sources=("addresses", "attendance"),
        window=None,
        direction=1,
        role="reason",
        unit="share",
        missing="no sessions of others at the address in 90 days, or no address",
    ),
]
