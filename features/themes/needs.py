"""Needs: special educational provision and young carers."""

from __future__ import annotations

import narwhals as nw

from features.feature import Feature, Tally, age, is_open, plain
from features.sentences import YEAR, fact, strain

SEN = ("sen",)

TALLIES = {
    "sen_support": Tally(table="sen", where=lambda: is_open() & (nw.col("provision") != "E")),
    "sen_plan": Tally(table="sen", where=lambda: is_open() & (nw.col("provision") == "E")),
    "sen_semh": Tally(table="sen", where=lambda: is_open() & (nw.col("primary_need") == "SEMH")),
    "sen_mld": Tally(table="sen", where=lambda: is_open() & (nw.col("primary_need") == "MLD")),
    "sen_started_365": Tally(table="sen", where=None, value=None, days=365),
    "sen_newest": Tally(table="sen", where=lambda: nw.col("age") >= 0, value=age, how="min"),
}
YES = "yes or no"

FEATURES = [
    Feature(
        name="sen_support",
        theme="needs",
        expression=lambda: (nw.col("sen_support") > 0).cast(nw.Float64),
        says=(fact("Receives SEN support", 1),),
        sources=SEN,
        window=None,
        direction=0,
        role="reason",
        unit=YES,
    ),
    Feature(
        name="sen_plan",
        theme="needs",
        expression=lambda: (nw.col("sen_plan") > 0).cast(nw.Float64),
        says=(fact("Has an education, health and care plan", 1),),
        sources=SEN,
        window=None,
        direction=0,
        role="reason",
        unit=YES,
    ),
    Feature(
        name="need_semh",
        theme="needs",
        expression=lambda: (nw.col("sen_semh") > 0).cast(nw.Float64),
        says=(strain("The recorded need is social, emotional and mental health", 1),),
        sources=SEN,
        window=None,
        direction=0,
        role="reason",
        unit=YES,
    ),
    Feature(
        name="need_mld",
        theme="needs",
        expression=lambda: (nw.col("sen_mld") > 0).cast(nw.Float64),
        says=(strain("The recorded need is a moderate learning difficulty", 1),),
        sources=SEN,
        window=None,
        direction=0,
        role="reason",
        unit=YES,
    ),
    Feature(
        name="sen_changes_365d",
        theme="needs",
        expression=plain("sen_started_365"),
        says=(fact("Special educational provision began or changed in the last year", 1),),
        sources=SEN,
        window=365,
        direction=0,
    ),
    Feature(
        name="days_since_sen_change",
        theme="needs",
        expression=plain("sen_newest"),
        says=(fact("Special educational provision last changed {days_since_sen_change:ago}", 0, YEAR),),
        sources=SEN,
        window=None,
        direction=0,
        role="reason",
        unit="days",
        missing="no provision known",
    ),
]
