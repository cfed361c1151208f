"""An explained score as a record: plain numbers and texts, ready for JSON, a table or a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Part:
    """One feature's share in a theme: its value (``None`` when missing) and its contribution in log-odds."""

    name: str
    value: float | None
    contribution: float

    def to_dict(self) -> dict[str, Any]:
        """Give the record as JSON has it."""
        return {"name": self.name, "value": self.value, "contribution": self.contribution}


@dataclass(frozen=True)
class Reason:
    """What one theme adds to a score or takes from it.

    Attributes
    ----------
    theme, sentence : str
        The theme, and what is recorded about the pupil that is linked with the risk.
    direction : str
        ``raises`` or ``lowers``.
    contribution : float
        Sum over the theme's features, in log-odds.
    features : list of Part
        Every feature with a share, the largest first.
    evidence : list of dict
        The dated records behind it (``table``, ``date``, ``text``), the newest first.
    """

    theme: str
    sentence: str
    direction: str
    contribution: float
    features: list[Part]
    evidence: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Give the record as JSON has it."""
        return {
            "theme": self.theme,
            "sentence": self.sentence,
            "direction": self.direction,
            "contribution": self.contribution,
            "features": [p.to_dict() for p in self.features],
            "evidence": [dict(e) for e in self.evidence],
        }


@dataclass(frozen=True)
class Context:
    """What is no reason but part of the sum; features that are never shown are not listed."""

    theme: str
    contribution: float
    features: list[Part] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Give the record as JSON has it."""
        return {
            "theme": self.theme,
            "contribution": self.contribution,
            "features": [p.to_dict() for p in self.features],
        }


@dataclass(frozen=True)
class Score:
    """The explained score of one snapshot; reasons + protective + context + base = margin.

    Attributes
    ----------
    risk, risk_low, risk_high : float
        Calibrated probability, and the 2.5th and 97.5th percentile of the bootstrapped calibrations.
    rank : int
        Place in the pupil's authority on that day, 1 for the highest margin.
    one_in : int
        "About 1 in N like this went missing."
    missing_tables : list of str
        Tables that were not there, so their features are missing.
    unseen : list of str
        Features whose value lies outside of all that the model was trained on.
    margin, base : float
        Log-odds before calibration, and their expected value.
    authority, urn, nc_year
        Where the pupil was known to be: for filters and rights, not part of ``to_dict``.
    """

    pupil_id: str
    as_of: date
    risk: float
    risk_low: float
    risk_high: float
    rank: int
    band: str
    one_in: int
    reasons: list[Reason]
    protective: list[Reason]
    context: list[Context]
    missing_tables: list[str]
    unseen: list[str]
    model: str
    model_version: int
    definition: str
    horizon_days: int
    margin: float
    base: float
    authority: Any = None
    urn: Any = None
    nc_year: Any = None

    def to_dict(self) -> dict[str, Any]:
        """Give the record as JSON has it: the same for a row of a batch and for a live score."""
        kept = dict(vars(self))
        for key in ("authority", "urn", "nc_year"):
            del kept[key]
        kept["as_of"] = self.as_of.isoformat()
        for key in ("reasons", "protective", "context"):
            kept[key] = [part.to_dict() for part in kept[key]]
        kept["missing_tables"], kept["unseen"] = list(self.missing_tables), list(self.unseen)
        return kept
