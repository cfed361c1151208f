"""Is the list still better than simple ways: its first children beside as many by each of them, on matured lists of the newest terms.

All are asked the same question on the same days, and compared child by child (``serving.monitoring.paired``):

``checklist``
    The one that models are compared with when they are trained: points for absence, suspensions, moves, social care and the like.
``stopped``
    What a team without a score would do: ring those who have already stopped coming, whose deadlines run.
``surroundings``
    The averages of the child's school and area: how many of the other children were lost there in the two years before the day.
``logistic``
    The logistic regression within the version, learnt from what the version learnt from.
``challenger``
    Another version with lists of the same days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, TypeAlias

import polars as pl

from features import matrix
from features.counting.block_cache import BlockStore
from features.outcome.cohort import CohortRule
from features.outcome.stopping import ACT_TODAY
from histories.reading.histories import Histories
from serving.casework.family import find_homes
from serving.monitoring.paired import Paired, paired
from serving.monitoring.results import term_name
from training.bundle import Manifest
from training.catalogue_match import changed_since
from training.explanation.linear_terms import LinearTerms
from training.fitting.candidates.baselines import CHECKLIST
from training.fitting.rolling_origin import matrix_of

MAX_TERMS = 3  # newest terms with matured lists: a year. Features are computed for the first and the last list of each
TIES = "absent_rate_90d"  # of equal points, the child who missed more comes first
MISSED = "unauthorised_rate_28d"  # of those who have stopped coming, the child who missed more without permission comes first
AVERAGES = ("school_lost_730d", "area_lost_730d")
Way: TypeAlias = Literal["checklist", "stopped", "surroundings", "logistic", "challenger"]
# Why a way is not compared.
WHY = {
    "no_places": "the stored lists do not say who had stopped coming",
    "no_averages": "no average of a school or an area could be computed",
    "no_folder": "the version's folder is gone or was changed",
    "itself": "the list is that of the logistic regression itself",
    "not_within": "there is none within the version, and its training histories are not at hand here to fit one; the model's report compares them",
    "changed": "features are no longer computed as when the version was trained",
    "no_lists": "no other version has stored lists of the same days whose outcomes are known",
}


@dataclass(frozen=True, kw_only=True)
class SimpleWay(Paired):
    """The first children of matured lists beside as many by another way.

    Attributes
    ----------
    way : Way
    model_version : str
        The version of the lists.
    other : str
        The version of a challenger's lists; else empty.
    terms : dict
        The same for each term.
    """

    way: Way
    model_version: str
    other: str = ""
    terms: dict[str, Paired] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {**super().to_dict(), "terms": {term: p.to_dict() for term, p in self.terms.items()}}


@dataclass(frozen=True, kw_only=True)
class SimpleWays:
    """Each simple way, or why it is not compared (a key of ``WHY``); nothing of either if no outcome is known."""

    compared: list[SimpleWay] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def simple_ways(
    histories: Histories,
    version: str,
    scored: Mapping[str, pl.DataFrame],
    manifest: Manifest | None = None,
    rule: CohortRule | None = None,
    *,
    kept: BlockStore | None = None,
) -> SimpleWays:
    """Compare a version's matured lists with each simple way.

    Parameters
    ----------
    scored : mapping
        By version, ``pupil_id, as_of, authority, rank, places, list, label`` of its matured lists.
    manifest : Manifest, optional
        Of the version, if its folder is whole.
    """
    own = scored[version]
    days = compared_days(own)
    if not days:
        return SimpleWays()
    own = _with_homes(histories, own, days)
    x = pl.DataFrame(matrix(histories, days, rule=rule, kept=kept))
    both = own.join(x, on=["pupil_id", "as_of"])
    orders, left_out = _orders(both, manifest)
    compared = [_beside(way, order, both, version) for way, order in orders.items()]
    challengers = list(_challengers(version, {**scored, version: own}))
    if not challengers:
        left_out["challenger"] = "no_lists"
    return SimpleWays(compared=compared + challengers, left_out=left_out)


def _with_homes(histories: Histories, scored: pl.DataFrame, days: list[date]) -> pl.DataFrame:
    """Return scores with the ``home`` of each child, as of the last of some days: brothers and sisters who go missing together are one event."""
    went = scored.filter((pl.col("label") == 1) & pl.col("as_of").is_in(days))["pupil_id"].unique().to_list()
    home = {pupil: children[0] for children in find_homes(histories, went, days[-1]) for pupil in children}
    return scored.with_columns(home=pl.col("pupil_id").replace(home) if home else pl.col("pupil_id"))


def compared_days(scored: pl.DataFrame) -> list[date]:
    """Return the days on which ways are compared: the first and the last with known outcomes in each of the newest terms."""
    terms: dict[str, list[date]] = {}
    for day in sorted(scored.filter(pl.col("label").is_not_null())["as_of"].unique().to_list()):
        terms.setdefault(term_name(day), []).append(day)
    newest = list(terms.values())[-MAX_TERMS:]
    return [day for of_term in newest for day in dict.fromkeys((of_term[0], of_term[-1]))]


def _orders(both: pl.DataFrame, manifest: Manifest | None) -> tuple[dict[Way, pl.Series], dict[str, str]]:
    """Return what each way orders children by, the first first, and why others are left out."""
    last_tie = pl.col("pupil_id")
    orders: dict[Way, pl.Expr] = {"checklist": pl.struct(-_points(), _most(TIES), last_tie)}
    left_out = {}
    if both["list"].count():
        orders["stopped"] = pl.struct(
            (pl.col("list") != ACT_TODAY).fill_null(True), _most(MISSED), _most(TIES), last_tie
        )
    else:
        left_out["stopped"] = "no_places"  # stored by an earlier version
    averages = pl.mean_horizontal(pl.col(name).fill_nan(None) for name in AVERAGES)
    if both.select(averages.count()).item():
        orders["surroundings"] = pl.struct(-averages.fill_null(0.0), last_tie)
    else:
        left_out["surroundings"] = "no_averages"
    found = {way: both.select(order.alias("order")).to_series() for way, order in orders.items()}
    why, margins = _logistic(both, manifest)
    if margins is None:
        left_out["logistic"] = why
    else:
        found["logistic"] = both.select(pl.struct(-margins, last_tie).alias("order")).to_series()
    return found, left_out


def _logistic(both: pl.DataFrame, manifest: Manifest | None) -> tuple[str, pl.Series | None]:
    """Return the margins of the logistic regression within a version, or why there are none."""
    if manifest is None:
        return "no_folder", None
    if list(manifest.parts) == ["ridge"]:
        return "itself", None
    if "ridge" not in manifest.parts or not manifest.ridge:
        return "not_within", None
    if changed_since(manifest):
        return "changed", None
    terms = LinearTerms.read(manifest.ridge, manifest.features)
    return "", pl.Series("margin", terms.margins(matrix_of(both, manifest.features)))


def _challengers(version: str, scored: Mapping[str, pl.DataFrame]) -> Iterator[SimpleWay]:
    """Yield the comparison with each other version, on the lists that both have of a day."""
    key = ["authority", "as_of"]
    for other, theirs in scored.items():
        own = scored[version].join(theirs.select(key).unique(), on=key, how="semi")
        days = compared_days(own) if other != version else []
        if days:
            ranks = theirs.select("pupil_id", *key, pl.col("rank").alias("other"))
            both = own.filter(pl.col("as_of").is_in(days)).join(ranks, on=["pupil_id", *key])
            yield _beside("challenger", both["other"], both, version, other)


def _beside(way: Way, order: pl.Series, both: pl.DataFrame, version: str, other: str = "") -> SimpleWay:
    # Both choose among the scored children who are still in the records, as nobody knows on the day whose outcome will be known.
    places = [by.rank("ordinal").over("as_of", "authority") for by in (pl.col("order"), pl.col("rank"))]
    both = both.with_columns(order.alias("order")).with_columns(
        simply=places[0] <= pl.col("places"), by_list=places[1] <= pl.col("places")
    )
    named = both.with_columns(pl.col("as_of").map_elements(term_name, return_dtype=pl.String).alias("term"))
    terms = {str(term): paired(part) for (term,), part in named.sort("as_of").group_by("term", maintain_order=True)}
    return SimpleWay(way=way, model_version=version, other=other, terms=terms, **vars(paired(both)))


def _most(name: str) -> pl.Expr:
    return -pl.col(name).fill_nan(0.0).fill_null(0.0)


def _points() -> pl.Expr:
    ticked = [
        pl.when(pl.col(name).cast(pl.Float64).fill_nan(0.0).fill_null(0.0) >= least).then(worth).otherwise(0)
        for name, least, worth in CHECKLIST
    ]
    return pl.sum_horizontal(ticked).alias("points")
