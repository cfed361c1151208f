"""A model that scores and explains, loaded from a bundle without MLflow or pickle."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from features.catalogue import catalogue
from features.counting.block_cache import BlockStore
from features.evidence import evidence
from features.matrix import tallied_blocks
from features.outcome.cohort import CohortRule
from features.outcome.stopping import list_on
from histories.reading.histories import Histories
from training.arguments import as_day, as_opened, feature_values
from training.bands import by_capacity, by_risk
from training.bundle import Manifest, read_bundle
from training.catalogue_match import check_features
from training.explanation.behind import behind
from training.explanation.chance import last_day, sureness
from training.explanation.importance import importance
from training.explanation.reason_columns import KINDS
from training.explanation.reasons import Wording, reasons, wording_of
from training.explanation.row_values import TrainingRanges, matrix_of, numbers_of
from training.explanation.score import Score
from training.explanation.score_columns import Ingredients, fields, in_columns, places_of_evidence
from training.explanation.scorer import scorer_of
from training.explanation.true_sentences import TrueSentences
from training.measures import calibration

if TYPE_CHECKING:  # slow to import, and the service needs neither
    import pandas as pd
    import shap

CONTRIBUTION = "contribution_"  # before a feature's name in the columns of contributions
EVIDENCE_RANKS = 500  # top ranks in each authority that get evidence
OF_PUPIL = ("pupil_id", "authority", "urn", "nc_year")
OF_CHECK = ("risk", "risk_low", "risk_high")
FEW = 60  # children who are explained one by one


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

    def __init__(self, booster: str, manifest: Manifest, wording: Wording | None = None) -> None:
        self.manifest, self.booster = manifest, booster
        self.scorer = scorer_of(booster, manifest)
        self.importance = importance(booster, manifest)
        self.wording = wording or wording_of(manifest.catalogue, {f.name: f.sentences for f in catalogue().features})

    @cached_property
    def true_sentences(self) -> TrueSentences:
        """The sentences of its features, for many children at once."""
        return TrueSentences([f["name"] for f in self.manifest.catalogue], self.wording)

    @cached_property
    def ranges(self) -> TrainingRanges:
        """What the training saw of each feature."""
        return TrainingRanges(self.manifest.seen)

    @cached_property
    def looked_at(self) -> list[str]:
        """The features and tallies from which a score can be made again, in a fixed order."""
        named = self.true_sentences.named_by(range(len(self.manifest.catalogue)))
        return list(dict.fromkeys([*self.manifest.features, *self.manifest.seen, *named, "listed_among"]))

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
        return calibration.interval(margins, self.manifest.calibrator)

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
    ) -> Sequence[Score]:
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
        sequence of Score
            By authority and rank. Of many children it holds columns, and makes each score when it is asked for (``explanation.score_columns``).
        """
        histories, as_of = as_opened(histories), as_day(as_of, "as_of")
        blocks = tallied_blocks(histories, [as_of], rule=rule, known_on=known_on, kept=kept, advance=advance)
        frame = pl.concat([self._needed(block, as_of) for block in blocks])
        if frame.is_empty():
            return []
        frame = self.ranked(frame)
        if top is not None:
            frame = frame.filter(pl.col("rank") <= top)
        advance(description="contributions and evidence")
        return self.explained(histories, frame, as_of, known_on)

    def _needed(self, frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
        """Return the columns of snapshots with tallies and features that scores are made from: half of them."""
        there = set(frame.columns)
        names = dict.fromkeys((*OF_PUPIL, *(n for n in self.looked_at if n in there)))
        return frame[list(names)].hstack(frame.select(list_on(as_of)))

    def ranked(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return snapshots with ``margin``, ``rank`` (1 = highest in its authority; ties by key) and ``listed_among`` (the authority's snapshots)."""
        # Polars plans whatever it sorts, and all columns take longer than the few that the order needs.
        margins, places = pl.Series("margin", self.margins(frame)), pl.Series("place", range(len(frame)))
        order = frame[["authority", "pupil_id"]].hstack([margins, places])
        order = order.sort(["authority", "margin", "pupil_id"], descending=[False, True, False])
        sizes = [len([*rows]) for _, rows in groupby(order["authority"].to_list())]
        ranks = pl.Series("rank", [rank for size in sizes for rank in range(1, size + 1)], pl.Int64)
        listed_among = pl.Series("listed_among", [size for size in sizes for _ in range(size)], pl.Int64)
        return frame[order["place"]].hstack([order["margin"], ranks, listed_among])

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
    ) -> Sequence[Score]:
        """Explain snapshots that have tallies, features and the columns of ``ranked``; the top ranks also get evidence."""
        contributions = self.scorer.contributions(self._x(frame))
        lists = (frame if "list" in frame.columns else frame.select(list_on(as_of)))["list"].to_list()
        scores = self._explained(frame, contributions, self._of_all(histories.missing, as_of), lists)
        listed = [k for k, rank in enumerate(frame["rank"]) if rank <= EVIDENCE_RANKS]
        places = list(places_of_evidence(scores, listed))
        of_reasons = behind(places, self.manifest.catalogue, self.wording)
        for place, records in zip(places, evidence(histories, of_reasons, as_of, known_on), strict=True):
            place.records.extend(records)
        return scores

    def again(self, frame: pl.DataFrame, as_of: date, missing_tables: list[str]) -> tuple[Sequence[Score], list[bytes]]:
        """Make scores without evidence from what was kept of them.

        Parameters
        ----------
        frame : polars.DataFrame
            ``pupil_id, authority, urn, nc_year, rank, list`` and the columns of ``looked_at``.
        missing_tables : list of str
            Of the scores.

        Returns
        -------
        scores : sequence of Score
        checks : list of bytes
            See ``checks``; others than those of the scores that were kept mean that this machine computes other numbers.
        """
        frame = frame.with_columns(pl.Series("margin", self.margins(frame)))
        contributions = self.scorer.contributions(self._x(frame))
        same = {**self._of_all([], as_of), "missing_tables": missing_tables}
        scores = self._explained(frame, contributions, same, frame["list"].to_list())
        own = {name: [value for (value,) in fields(scores, name)] for name in OF_CHECK}
        return scores, checks(contributions, own)

    def _x(self, frame: pl.DataFrame) -> np.ndarray:
        return matrix_of(frame, self.manifest.features)

    def _explained(
        self, frame: pl.DataFrame, contributions: np.ndarray, same: dict[str, Any], lists: list[Any]
    ) -> Sequence[Score]:
        """Return scores without evidence; ``same`` has the fields that they share, and ``lists`` the list of each."""
        m = self.manifest
        own = {**self._of_margins(frame, same["as_of"]), "base": contributions[:, -1].tolist(), "list": lists}
        own |= {"features_digest": digests(self._x(frame)), "unseen": self.ranges.unseen(frame)}
        if len(frame) > FEW:
            there = {name for name, kind in frame.schema.items() if kind.is_numeric()}
            looked_at = {n: frame[n].cast(pl.Float64).to_numpy() for n in self.looked_at if n in there}
            of_model: dict[str, Any] = {"booster": self.booster, "manifest": m, "sentences": self.true_sentences}
            made_from = Ingredients(**of_model, numbers=looked_at, checks=checks(contributions, own))
            return in_columns(same, own, made_from, contributions[:, :-1])
        scores = []
        for k, values in enumerate(numbers_of(frame)):
            of_kinds = reasons(values, contributions[k, :-1], m.catalogue, m.themes, self.wording)
            of_score: dict[str, Any] = {name: column[k] for name, column in own.items()}
            of_score |= zip(KINDS, of_kinds, strict=True)
            scores.append(Score(**same, **of_score))
        return scores

    def _of_all(self, missing: Collection[str], as_of: date) -> dict[str, Any]:
        """Return the fields that all scores of a day share; ``missing`` are the tables that the histories lack."""
        m = self.manifest
        return {
            "as_of": as_of,
            "missing_tables": [t for t in missing if any(t in f["sources"] for f in m.catalogue)],
            "model": m.name,
            "model_version": m.version,
            "definition": m.definition,
            "horizon_days": m.horizon_days,
            "catalogue_digest": m.catalogue_digest,
        }

    def _of_margins(self, frame: pl.DataFrame, as_of: date) -> dict[str, list[Any]]:
        """Return each score's fields that follow from its margin and its rank."""
        margins = frame["margin"].to_numpy()
        risks, (lows, highs) = self.risk(margins).tolist(), (limit.tolist() for limit in self.interval(margins))
        by_day = last_day(as_of, self.manifest.horizon_days)
        ranks, listed_among = frame["rank"].to_list(), frame["listed_among"].to_list()
        limits = list(zip(lows, highs, strict=True))
        return {
            **{name: frame[name].to_list() for name in OF_PUPIL},
            "risk": risks,
            "risk_low": lows,
            "risk_high": highs,
            "rank": ranks,
            "band": [by_risk(risk, self.manifest.bands) for risk in risks],
            "one_in": [max(1, round(1 / max(risk, 1e-9))) for risk in risks],
            "margin": margins.tolist(),
            "capacity_band": [by_capacity(*place) for place in zip(ranks, listed_among, strict=True)],
            "chance": [sureness(risk, of, by_day) for risk, of in zip(risks, limits, strict=True)],
        }


def digests(x: np.ndarray) -> list[str]:
    """Return the SHA-256 of each row of feature values (rows, features); all missing values hash alike."""
    alike = np.where(np.isnan(x), np.nan, x) + 0.0  # normalise NaN and negative zero
    return [hashlib.sha256(row.tobytes()).hexdigest() for row in np.ascontiguousarray(alike, dtype="<f8")]


def checks(contributions: np.ndarray, own: Mapping[str, list[Any]]) -> list[bytes]:
    """Return eight bytes for each score that differ if a contribution, the risk or its interval does."""
    limits = np.column_stack([contributions, *(own[name] for name in OF_CHECK)])
    return [hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in limits.astype("<f8")]
