"""Join the children of stored lists to their outcomes as known in histories; a child without a known outcome gets a reason, never a "no"."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from features.outcome.cohort import CohortRule, cohort
from features.outcome.definition import Definition
from features.outcome.exits import NOWHERE
from features.outcome.label import label
from histories.reading.frames import collect
from histories.reading.histories import Histories

KEYS = ["pupil_id", "as_of"]
WENT_MISSING, STAYED, LEFT = "went_missing", "stayed", "left_for_a_known_reason"
LEFT_TO_NOWHERE = "left_with_nowhere_known_to_go"  # which the definition does not count
KNOWN = (WENT_MISSING, STAYED, LEFT, LEFT_TO_NOWHERE)
# Why a child of a list has no outcome.
LEFT_BEFORE = "had_left_before_the_day"  # the end of the spell was recorded only after the day
NOT_YET_KNOWN = "not_yet_known"
OUTSIDE = "outside_the_definitions_ages"
NOT_IN_COHORT = "no_longer_in_the_cohort"  # the histories now say something else about the day
NOT_MATCHED = "not_in_the_histories"
UNKNOWN = (LEFT_BEFORE, NOT_YET_KNOWN, OUTSIDE, NOT_IN_COHORT, NOT_MATCHED)


@dataclass(frozen=True)
class Outcomes:
    """Outcomes of some lists.

    Attributes
    ----------
    scored : polars.DataFrame
        The scores, with ``fate`` (one of ``KNOWN`` or ``UNKNOWN``) and ``label`` (1, 0 or null).
    unscored : polars.DataFrame
        ``as_of, authority, model_version, label`` of children of the cohort who have no score of the version, such as those beyond ``score --top``,
        with a known outcome.
    """

    scored: pl.DataFrame
    unscored: pl.DataFrame


def outcomes_of(
    histories: Histories, scores: pl.DataFrame, definition: Definition, horizon: int, rule: CohortRule | None = None
) -> Outcomes:
    """Join scores to outcomes.

    Parameters
    ----------
    scores : polars.DataFrame
        ``pupil_id, as_of, authority`` and any other columns; several versions may have scored one child.
    definition, horizon
        Those of the scores.
    rule : CohortRule, optional
        That of the scores.
    """
    days = sorted(scores["as_of"].unique().to_list())
    members = cohort(histories, days, rule)
    labelled = label(histories, days, definition, horizon, rule=rule, members=members)
    outcome = pl.DataFrame(labelled).select(*KEYS, "label", "outcome")
    pupils = collect(histories.frame("pupils").select("pupil_id").unique()).with_columns(matched=pl.lit(True))
    joined = scores.join(outcome, on=KEYS, how="left").join(pupils, on="pupil_id", how="left")
    # Of each version by itself: a child whom one version scored may have no score of another.
    version = [c for c in ("model_version",) if c in scores.columns]
    unscored = (
        pl.DataFrame(members)
        .select(*KEYS, "authority")
        .join(scores.select("as_of", "authority", *version).unique(), on=["as_of", "authority"])
        .join(scores.select(*KEYS, *version).unique(), on=[*KEYS, *version], how="anti")
        .join(outcome, on=KEYS)
        .filter(pl.col("label").is_not_null())
    )
    return Outcomes(
        joined.with_columns(_fate()).drop("outcome", "matched"),
        unscored.select("as_of", "authority", *version, "label"),
    )


def _fate() -> pl.Expr:
    outcome, labelled = pl.col("outcome"), pl.col("label")
    return (
        pl.when(pl.col("matched").is_null())
        .then(pl.lit(NOT_MATCHED))
        .when(outcome.is_null())
        .then(pl.lit(NOT_IN_COHORT))
        .when(outcome == "left_before")
        .then(pl.lit(LEFT_BEFORE))
        .when(outcome == "not_known")
        .then(pl.lit(NOT_YET_KNOWN))
        .when(labelled.is_null())
        .then(pl.lit(OUTSIDE))
        .when(labelled == 1)
        .then(pl.lit(WENT_MISSING))
        .when(outcome == "stayed")
        .then(pl.lit(STAYED))
        .when(outcome.is_in(NOWHERE))
        .then(pl.lit(LEFT_TO_NOWHERE))
        .otherwise(pl.lit(LEFT))
        .alias("fate")
    )
