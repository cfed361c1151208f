"""The record of one explained score."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, TypeAlias

from typing_extensions import TypedDict

from features.evidence import Evidence
from features.outcome.stopping import ListName


class FeaturePart(TypedDict):
    """A feature's value and its contribution in log-odds; ``others`` is the rest of a theme."""

    name: str
    value: float | None
    contribution: float


@dataclass(kw_only=True)
class Reason:
    """A theme that moved a score: its sentence, its features and the records behind them.

    Attributes
    ----------
    contribution : float
        In log-odds, signed; the features' contributions sum to it.
    direction : {"raises", "lowers"}
    """

    theme: str
    sentence: str
    direction: Literal["raises", "lowers"]
    contribution: float
    features: list[FeaturePart]
    evidence: list[Evidence] = field(default_factory=list)


# Aliases, because ``Score`` has a field named ``list``.
Reasons: TypeAlias = list[Reason]
Texts: TypeAlias = list[str]


@dataclass(kw_only=True)
class Score:
    """One pupil's explained score as of one day; ``base`` and all contributions sum to ``margin``.

    Attributes
    ----------
    risk : float
        The calibrated probability.
    risk_low, risk_high : float
        The 95% interval of the rate among children with such a score; this child's own chance may lie outside (``fitting.uncertainty``).
    one_in : int
        ``1 / risk`` rounded, at least 1; from 2 in 7 on it is coarse, and words follow ``risk``.
    catalogue_digest, features_digest : str
        SHA-256 of the features' declarations, and of the pupil's feature values.
    list : str or None
        ``act_today`` for a child who has already stopped coming by the rule of ``features.outcome.stopping``, ``help_early`` for any
        other; None in scores stored by earlier versions.
    band, capacity_band : str
        The band of the risk, and that of the rank among the authority's children of the day (``training.bands``). The second is None in scores
        stored by earlier versions.
    chance : str
        The risk in words, with its interval and the day by which it would be (``explanation.chance``); empty in scores stored by earlier versions.
    """

    pupil_id: str
    as_of: date
    risk: float
    risk_low: float
    risk_high: float
    rank: int
    band: str
    one_in: int
    reasons: Reasons
    protective: Reasons
    context: Reasons
    missing_tables: Texts
    unseen: Texts
    model: str
    model_version: str
    definition: str
    horizon_days: int
    margin: float
    base: float
    authority: str
    urn: str
    nc_year: int
    catalogue_digest: str = ""
    features_digest: str = ""
    list: ListName | None = None
    capacity_band: str | None = None
    chance: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data; nested parts are shared with the score, not copied."""
        reasons = {kind: [vars(r) for r in getattr(self, kind)] for kind in ("reasons", "protective", "context")}
        days = {name: value.isoformat() for name, value in vars(self).items() if isinstance(value, date)}
        return {**vars(self), **reasons, **days}
