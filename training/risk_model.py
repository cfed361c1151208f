"""A model that scores and explains, loaded from a bundle without MLflow or pickle."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import polars.selectors as cs

from features.catalogue import catalogue
from features.counting.block_cache import BlockStore
from features.evidence import evidence
from features.matrix import tallied
from features.outcome.cohort import CohortRule
from features.outcome.stopping import list_of
from histories.reading.histories import Histories
from training.arguments import as_day, as_opened, feature_values
from training.bands import by_capacity, by_risk
from training.bundle import Manifest, read_bundle
from training.catalogue_match import check_features
from training.explanation.chance import last_day, sureness
from training.explanation.importance import importance
from training.explanation.reasons import reasons, wording_of
from training.explanation.score import Score
from training.explanation.scorer import scorer_of
from training.measures import calibration

if TYPE_CHECKING:  # slow to import, and the service needs neither
    import pandas as pd
    import shap

CONTRIBUTION = "contribution_"  # before a feature's name in the columns of contributions
EVIDENCE_RANKS = 500  # top ranks in each authority that get evidence


class RiskModel:
    """A champion or challenger, ready to score.

    Attributes
    ----------
    manifest : Manifest
    scorer : Scorer
    importance : dict
        How much of the model rests on each feature, largest first; see ``explanation.importance``.
    wording : mapping
        The sentences of each feature.
    """

    def __init__(self, booster: str, manifest: Manifest) -> None:
        self.manifest = manifest
        self.scorer = scorer_of(booster, manifest)
        self.importance = importance(booster, manifest)
        self.wording = wording_of(manifest.catalogue, {f.name: f.sentences for f in catalogue().features})

    @classmethod
    def load(cls, folder: Path, digest: str | None = None) -> RiskModel:
        """Load a bundle after verifying its checksums and its digest.

        Raises
        ------
        Faults
            If the bundle is damaged, or a feature it uses has changed.
        """
        booster, manifest = read_bundle(folder, digest)
        check_features(manifest, str(folder))
        return cls(booster, manifest)

    def contributions(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return exact contributions (rows, features + base) in log-odds, and margins; see ``explanation.scorer``."""
        return self.scorer.contributions(x), self.scorer.margins(x)

    def risk(self, margins: np.ndarray) -> np.ndarray:
        """Return calibrated probabilities of margins."""
        return calibration.risk(margins, self.manifest.calibrator["a"], self.manifest.calibrator["b"])

    def interval(self, margins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the 95% interval of the rate among children with such a margin; see ``uncertainty``."""
        logit, half = (
            self.manifest.calibrator["a"] * margins + self.manifest.calibrator["b"],
            calibration.half_width(margins, self.manifest.calibrator),
        )
        return _sigmoid(logit - half), _sigmoid(logit + half)

    def score(
        self,
        histories: Histories,
        as_of: date | str,
        *,
        rule: CohortRule | None = None,
        known_on: date | None = None,
        kept: BlockStore | None = None,
        top: int | None = None,
        advance: Any = lambda steps=1, description=None: None,
    ) -> list[Score]:
        """Score and explain the cohort as of a day.

        Parameters
        ----------
        histories : Histories
        as_of : date or str
        rule : CohortRule, optional
        known_on : date, optional
            The day of knowledge; see ``histories.reading.as_of.seen``.
        kept : BlockStore, optional
            Cache of counted blocks of children.
        top : int, optional
            Return only this many ranks of each authority.

        Returns
        -------
        list of Score
            By authority and rank.
        """
        histories, as_of = as_opened(histories), as_day(as_of, "as_of")
        frame = tallied(histories, [as_of], rule=rule, known_on=known_on, kept=kept, advance=advance)
        if frame.is_empty():
            return []
        frame = self.ranked(frame)
        if top is not None:
            frame = frame.filter(pl.col("rank") <= top)
        advance(description="contributions and evidence")
        return self.explained(histories, frame, as_of, known_on)

    def ranked(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return snapshots with ``margin``, ``rank`` (1 = highest in its authority; ties by key) and ``listed_among`` (the authority's snapshots)."""
        frame = frame.with_columns(pl.Series("margin", self.margins(frame)))
        frame = frame.sort(["authority", "margin", "pupil_id"], descending=[False, True, False])
        rank, listed_among = (pl.int_range(pl.len()) + 1).over("authority"), pl.len().over("authority")
        return frame.with_columns(rank.alias("rank"), listed_among.cast(pl.Int64).alias("listed_among"))

    def margins(self, frame: pl.DataFrame) -> np.ndarray:
        """Return the margins of snapshots, given their features."""
        return self.scorer.margins(self._x(frame))

    def predict(self, features: pd.DataFrame, *, contributions: bool = False) -> pd.DataFrame:
        """Return the risks of feature rows.

        Parameters
        ----------
        features : pandas.DataFrame, shape (rows, features)
            The model's features by name, in any order; a missing value is NaN.
        contributions : bool
            Also return each feature's contribution in log-odds and ``base``; with it they sum to ``margin``.

        Returns
        -------
        pandas.DataFrame, shape (rows, 4) or (rows, 5 + features)
            ``risk``, ``risk_low`` and ``risk_high`` (0 to 1) and ``margin`` (log-odds before calibration), with the index of the input.

        Raises
        ------
        Faults
            If this is no frame of pandas, or a feature of the model is missing, there twice, no number or infinite.
        """
        import pandas as pd

        x = feature_values(features, self.manifest.features)
        margins = self.scorer.margins(x)
        low, high = self.interval(margins)
        columns = {"risk": self.risk(margins), "risk_low": low, "risk_high": high, "margin": margins}
        if contributions:
            parts = self.scorer.contributions(x)
            columns |= {"base": parts[:, -1]}
            columns |= {CONTRIBUTION + n: parts[:, k] for k, n in enumerate(self.manifest.features)}
        return pd.DataFrame(columns, index=features.index)

    def explain(self, features: pd.DataFrame) -> shap.Explanation:
        """Explain feature rows as exact Shapley values, for the plots of shap.

        Parameters
        ----------
        features : pandas.DataFrame, shape (rows, features)
            As for ``predict``.

        Returns
        -------
        shap.Explanation, shape (rows, features)
            In log-odds before calibration: ``values`` and ``base_values`` sum to the margin of each row.
        """
        import shap

        x = feature_values(features, self.manifest.features)
        parts = self.scorer.contributions(x)
        return shap.Explanation(
            values=parts[:, :-1], base_values=parts[:, -1], data=x, feature_names=list(self.manifest.features)
        )

    def explained(
        self, histories: Histories, frame: pl.DataFrame, as_of: date, known_on: date | None = None
    ) -> list[Score]:
        """Explain snapshots that have tallies, features and the columns of ``ranked``; the top ranks also get evidence."""
        x = self._x(frame)
        scores = self._scores(histories, frame, self.scorer.contributions(x), as_of, digests(x))
        self._attach_evidence(histories, [s for s in scores if s.rank <= EVIDENCE_RANKS], as_of, known_on)
        return scores

    def _x(self, frame: pl.DataFrame) -> np.ndarray:
        return frame.select(self.manifest.features).to_numpy().astype(np.float64)

    def _scores(
        self, histories: Histories, frame: pl.DataFrame, parts: np.ndarray, as_of: date, made_from: list[str]
    ) -> list[Score]:
        m = self.manifest
        margins = frame["margin"].to_numpy()
        risks, (lows, highs) = self.risk(margins), self.interval(margins)
        numbers = frame.select(cs.numeric().cast(pl.Float64).fill_nan(None))
        unseen = self._unseen(numbers)
        needed = [t for t in histories.missing if any(t in f["sources"] for f in m.catalogue)]
        lists = frame.select(list_of())["list"]
        scores = []
        by_day = last_day(as_of, m.horizon_days)
        rows = frame.select("pupil_id", "rank", "listed_among", "authority", "urn", "nc_year").iter_rows(named=True)
        for k, (row, values) in enumerate(zip(rows, numbers.iter_rows(named=True), strict=True)):
            raising, protective, context = reasons(values, parts[k, :-1], m.catalogue, m.themes, self.wording)
            risk = float(risks[k])
            scores.append(
                Score(
                    pupil_id=row["pupil_id"],
                    as_of=as_of,
                    risk=risk,
                    risk_low=float(lows[k]),
                    risk_high=float(highs[k]),
                    rank=int(row["rank"]),
                    band=by_risk(risk, m.bands),
                    one_in=max(1, round(1 / max(risk, 1e-9))),
                    reasons=raising,
                    protective=protective,
                    context=context,
                    missing_tables=needed,
                    unseen=unseen[k],
                    model=m.name,
                    model_version=m.version,
                    definition=m.definition,
                    horizon_days=m.horizon_days,
                    margin=float(margins[k]),
                    base=float(parts[k, -1]),
                    authority=row["authority"],
                    urn=row["urn"],
                    nc_year=int(row["nc_year"]),
                    catalogue_digest=m.catalogue_digest,
                    features_digest=made_from[k],
                    list=lists[k],
                    capacity_band=by_capacity(int(row["rank"]), int(row["listed_among"])),
                    chance=sureness(risk, (float(lows[k]), float(highs[k])), by_day),
                )
            )
        return scores

    def _attach_evidence(self, histories: Histories, scores: list[Score], as_of: date, known_on: date | None) -> None:
        sources = {d["name"]: d["sources"] for d in self.manifest.catalogue}
        reasons = [(s.pupil_id, reason) for s in scores for reason in s.reasons + s.protective]
        # The distinct tables of a reason, in the order of its features.
        tables = [dict.fromkeys(t for f in r.features for t in sources.get(f["name"], ())) for _, r in reasons]
        requests = [(pupil, list(names)) for (pupil, _), names in zip(reasons, tables, strict=True)]
        for (_, reason), records in zip(reasons, evidence(histories, requests, as_of, known_on), strict=True):
            reason.evidence = records

    def _unseen(self, numbers: pl.DataFrame) -> list[list[str]]:
        """Return of each row the features whose value lies outside the training range, or is missing but never was in training."""
        found: list[list[str]] = [[] for _ in range(len(numbers))]
        for name, (low, high, missing) in self.manifest.seen.items():
            x = numbers[name].to_numpy() if name in numbers.columns else np.full(len(numbers), np.nan)
            none = np.isnan(x)
            outside = ~none if low is None or high is None else ~none & ~((low <= x) & (x <= high))
            for k in np.flatnonzero(outside | none if missing == 0.0 else outside).tolist():
                found[k].append(name)
        return found


def digests(x: np.ndarray) -> list[str]:
    """Return the SHA-256 of each row of feature values (rows, features); all missing values hash alike."""
    alike = np.where(np.isnan(x), np.nan, x) + 0.0  # normalise NaN and negative zero
    return [hashlib.sha256(row.tobytes()).hexdigest() for row in np.ascontiguousarray(alike, dtype="<f8")]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))
