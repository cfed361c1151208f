"""The model that explains a score: read from a bundle, without MLflow, LightGBM or shap."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from histories.faults import Fault, Faults
from training.bundle import BOOSTER, MANIFEST, RETRAIN, Manifest, read_bundle
from training.explanation.reasons import Evidence, Reasons, with_evidence
from training.explanation.score import Score
from training.explanation.sentences import check_sentences

if TYPE_CHECKING:
    import pyarrow as pa

KEYS = ("pupil_id", "as_of")
ROWS_AT_ONCE = 8192
Snapshot = tuple[str, date]
FindEvidence = Callable[..., dict[Snapshot, Evidence]]


class RiskModel:
    """Scores and explains; one row has the same bits alone and among a million, on any number of threads.

    Parameters
    ----------
    manifest : Manifest
        What the score needs beside the trees.
    booster : str
        The trees in LightGBM's text.
    where : str
        Named in messages.
    """

    def __init__(self, manifest: Manifest, booster: str, where: str = "bundle") -> None:
        # Numba takes half a second to import; only who has a model pays for it.
        from training.explanation.leaf_tables import LeafTables
        from training.explanation.trees import read_forest

        forest = read_forest(booster, f"{where}/{BOOSTER}")
        if forest.features != manifest.features:
            what = "the trees were grown on other columns, or in another order, than the manifest says"
            raise Faults(Fault(what, f"{where}/{BOOSTER}", RETRAIN))
        check_sentences(manifest.catalogue, manifest.features, f"{where}/{MANIFEST}")
        self.manifest = manifest
        self._tables = LeafTables(forest)
        self._reasons = Reasons(manifest.features, manifest.catalogue)
        self._pairs = np.array(manifest.calibrator.bootstrap, dtype=np.float64).reshape(-1, 2)
        self._bands = sorted(manifest.bands, key=lambda b: -b.at_least)
        # The first call compiles, or reads what was compiled before: better now than in the first request.
        self.contributions(np.zeros((1, len(manifest.features))))
        self.margin(np.zeros((1, len(manifest.features))))

    @classmethod
    def load(cls, folder: Path) -> RiskModel:
        """Read a bundle; raise :class:`Faults` when a file of it is missing, altered or foreign."""
        manifest, booster = read_bundle(Path(folder))
        return cls(manifest, booster, str(folder))

    @property
    def base(self) -> float:
        """The expected margin over the training data (log-odds)."""
        return self._tables.base

    def margin(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the log-odds before calibration for rows of features in the manifest's order."""
        return self._tables.margins(self._shaped(rows))

    def contributions(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give exact SHAP contributions, rows by features + 1; the last column is the base."""
        return self._tables.contributions(self._shaped(rows))

    def risk(self, margin: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the calibrated probability at each margin."""
        calibrator = self.manifest.calibrator
        return _sigmoid(calibrator.a * np.asarray(margin, dtype=np.float64) + calibrator.b)

    def interval(self, margin: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the 2.5th and 97.5th percentile of the bootstrapped calibrations at each margin.

        Percentiles are taken in log-odds, and the interval always holds the risk itself.
        """
        margin = np.asarray(margin, dtype=np.float64)
        risk = self.risk(margin)
        if not len(self._pairs):
            return risk, risk
        low, high = np.empty(len(margin)), np.empty(len(margin))
        for begin in range(0, len(margin), ROWS_AT_ONCE):
            part = slice(begin, begin + ROWS_AT_ONCE)
            odds = margin[part, None] * self._pairs[:, 0] + self._pairs[:, 1]
            low[part], high[part] = np.percentile(odds, [2.5, 97.5], axis=1)
        return np.minimum(_sigmoid(low), risk), np.maximum(_sigmoid(high), risk)

    def band(self, risk: float) -> str:
        """Give the name of the highest band that begins at or below a risk."""
        return next(b.name for b in self._bands if risk >= b.at_least)

    @staticmethod
    def one_in(risk: float) -> int:
        """Give N of "about 1 in N like this went missing".

        Examples
        --------
        >>> RiskModel.one_in(0.08), RiskModel.one_in(0.9)
        (12, 1)
        """
        return max(1, round(1 / max(risk, 1e-9)))

    def rows(self, matrix: pa.Table) -> NDArray[np.float64]:
        """Give a matrix of features as rows in the manifest's order, null as NaN.

        Raises
        ------
        Faults
            For each column that is missing, and each that the model does not know.
        """
        wanted, given = self.manifest.features, matrix.column_names
        do = "make the features with the version of onroll that trained the model"
        faults = [Fault("is missing", f"matrix, column {c}", do) for c in (*KEYS, *wanted) if c not in given]
        faults += [
            Fault("is not a feature of the model", f"matrix, column {c}", do)
            for c in given
            if c not in {*KEYS, *wanted}
        ]
        faults += [
            Fault("is there twice", f"matrix, column {c}", do)
            for c in sorted(set(given))
            if given.count(c) > 1
        ]
        if faults:
            raise Faults(faults)
        rows = np.empty((matrix.num_rows, len(wanted)))
        for i, name in enumerate(wanted):
            rows[:, i] = matrix.column(name).to_numpy()
        return rows

    def score(
        self,
        matrix: pa.Table,
        context: pa.Table,
        histories: Any = None,
        *,
        top: int | None = None,
        evidence: FindEvidence | None = None,
    ) -> list[Score]:
        """Score and explain snapshots.

        Parameters
        ----------
        matrix : pyarrow.Table
            ``pupil_id``, ``as_of`` and the features, from :func:`features.matrix`.
        context : pyarrow.Table
            ``pupil_id, as_of, authority, urn, nc_year``, from :func:`features.cohort`; every snapshot of the
            matrix is in it.
        histories : Histories, optional
            Where the evidence is found; without them there is none.
        top : int, optional
            Only the highest so many of each authority and day.
        evidence : callable, optional
            Takes the place of :func:`features.evidence`.

        Returns
        -------
        list of Score
            By day, authority and rank. Ranks go by margin; ties by a hash of the pupil's identifier, so that
            nobody is served first for having a low number.
        """
        rows = self.rows(matrix)
        snapshots = _snapshots(matrix)
        places = _places(context, snapshots)
        margin = self.margin(rows)
        ranked = [(i, rank) for i, rank in _ranked(snapshots, places, margin) if top is None or rank <= top]
        chosen = np.array([i for i, _ in ranked], dtype=np.int64)
        found = self._find_evidence(histories, [snapshots[i] for i in chosen], evidence)
        missing = list(getattr(histories, "missing", ()))
        shares = self.contributions(rows[chosen])[:, :-1]
        risk, (low, high) = self.risk(margin[chosen]), self.interval(margin[chosen])
        unseen = self._unseen(rows[chosen])
        return [
            self._score(
                rows[i].tolist(),
                shares[at].tolist(),
                found.get(snapshots[i], {}),
                pupil_id=snapshots[i][0],
                as_of=snapshots[i][1],
                risk=float(risk[at]),
                risk_low=float(low[at]),
                risk_high=float(high[at]),
                rank=rank,
                margin=float(margin[i]),
                missing_tables=missing,
                unseen=unseen[at],
                **places[i],
            )
            for at, (i, rank) in enumerate(ranked)
        ]

    def _score(self, row: list[float], shares: list[float], records: Evidence, **known: Any) -> Score:
        raising, lowering, rest = self._reasons.of(row, shares)
        return Score(
            band=self.band(known["risk"]),
            one_in=self.one_in(known["risk"]),
            reasons=[with_evidence(r, records) for r in raising],
            protective=[with_evidence(r, records) for r in lowering],
            context=rest,
            model=self.manifest.name,
            model_version=self.manifest.version,
            definition=self.manifest.definition,
            horizon_days=self.manifest.horizon_days,
            base=self.base,
            **known,
        )

    def _shaped(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = np.asarray(rows, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.manifest.features):
            what = f"has not the {len(self.manifest.features)} columns of the model"
            raise Faults(Fault(what, "rows of features", "take them from `RiskModel.rows`"))
        return rows

    def _unseen(self, rows: NDArray[np.float64]) -> list[list[str]]:
        seen, names = self.manifest.seen, self.manifest.features
        # A feature that was always missing in training has no bounds: then every value is outside of them.
        low, high = np.full(len(names), -np.inf), np.full(len(names), np.inf)
        never_missing = np.zeros(len(names), dtype=np.bool_)
        for i, name in enumerate(names):
            if name in seen:
                least, most, share = seen[name]
                low[i], high[i] = (np.inf, -np.inf) if least is None or most is None else (least, most)
                never_missing[i] = share == 0
        strange = (rows < low) | (rows > high) | (np.isnan(rows) & never_missing)
        return [[names[i] for i in np.flatnonzero(row)] for row in strange]

    def _find_evidence(
        self, histories: Any, snapshots: Sequence[Snapshot], evidence: FindEvidence | None
    ) -> dict[Snapshot, Evidence]:
        if not snapshots or (histories is None and evidence is None):
            return {}
        import pyarrow as pa

        if evidence is None:
            from features.evidence import evidence as find
        else:
            find = evidence
        ids, days = zip(*snapshots, strict=True)
        asked = pa.table({"pupil_id": list(ids), "as_of": pa.array(days, pa.date32())})
        reasons = [d.name for d in self.manifest.catalogue if d.role == "reason"]
        return find(histories, asked, [name for name in self.manifest.features if name in set(reasons)])


def _sigmoid(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    # One by one: numpy's vector exp may differ in the last bit by the place of a number in its array.
    return np.array(
        [1 / (1 + math.exp(-min(max(x, -700.0), 700.0))) for x in odds.tolist()], dtype=np.float64
    )


def _snapshots(table: pa.Table) -> list[Snapshot]:
    return list(zip(table.column("pupil_id").to_pylist(), table.column("as_of").to_pylist(), strict=True))


def _places(context: pa.Table, snapshots: Sequence[Snapshot]) -> list[dict[str, Any]]:
    keys = ("authority", "urn", "nc_year")
    columns = [context.column(k).to_pylist() for k in keys]
    known = dict(zip(_snapshots(context), zip(*columns, strict=True), strict=True))
    strangers = [str(n) for n, snapshot in enumerate(snapshots, start=1) if snapshot not in known]
    if strangers:
        shown = ", ".join(strangers[:10]) + (
            f" and {len(strangers) - 10} more" if len(strangers) > 10 else ""
        )
        do = "make the matrix for the snapshots of the cohort"
        raise Faults(Fault("has snapshots that the cohort has not", f"matrix, rows {shown}", do))
    return [dict(zip(keys, known[s], strict=True)) for s in snapshots]


def _ranked(
    snapshots: Sequence[Snapshot], places: Sequence[dict[str, Any]], margin: Iterable[float]
) -> list[tuple[int, int]]:
    """Give the place of each snapshot in the tables and its rank in its authority on its day, in order."""
    ties = [hashlib.sha256(pupil.encode()).digest() for pupil, _ in snapshots]
    groups = [(day, str(place["authority"] or "")) for (_, day), place in zip(snapshots, places, strict=True)]
    margins = list(margin)
    order = sorted(range(len(snapshots)), key=lambda i: (groups[i], -margins[i], ties[i]))
    ranked, last, rank = [], None, 0
    for i in order:
        rank = rank + 1 if groups[i] == last else 1
        last = groups[i]
        ranked.append((i, rank))
    return ranked
