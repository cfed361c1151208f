"""Feature importance: the mean absolute contribution of each feature, in log-odds, and contributions as a report may show them."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.catalogue import catalogue
from training.evaluation.shown_contributions import shown
from training.explanation.scorer import scorer_of
from training.fitting.rolling_origin import matrix_of, weight_of
from training.made_up_child import made_up_features
from training.pipeline import Trained
from training.risk_model import RiskModel

MAX = 2000  # snapshots of the newest test date; more hardly change the means


def contributions(trained: Trained, seed: int) -> dict[str, float]:
    """Return the mean absolute contribution of each feature; see ``explained``."""
    return explained(trained, seed)["contributions"]


def explained(trained: Trained, seed: int) -> dict[str, Any]:
    """Explain children of the newest test date, one snapshot each, with exact contributions (see ``explanation.scorer``).

    Includes features of the role ``never_shown``, which move scores too.

    Returns
    -------
    dict
        ``contributions``, the mean absolute contribution of each feature, and ``shown``, see ``shown_contributions``.
    """
    frame, names = trained.predictions.frame, catalogue().names
    rows = np.flatnonzero((frame["as_of"] == trained.splits.test[-1]).to_numpy())
    rng = np.random.Generator(np.random.PCG64(seed))
    chosen = np.sort(rng.choice(rows, min(len(rows), MAX), replace=False))
    x, weight = matrix_of(frame[chosen], names), weight_of(frame[chosen])
    parts = scorer_of(trained.booster, trained.manifest).contributions(x)[:, :-1]
    mean = np.average(np.abs(parts), axis=0, weights=weight)
    drawn = {"day": str(trained.splits.test[-1]), **shown(x, parts, names, weight)}
    return {"contributions": dict(zip(names, mean.tolist(), strict=True)), "shown": drawn}


def made_up_score(trained: Trained) -> dict[str, Any]:
    """Score and explain the made-up child: its values, contributions and base by feature, and its risk with interval."""
    model = RiskModel(trained.booster, trained.manifest)
    example = made_up_features().reindex(columns=trained.manifest.features)
    (risk,), explanation = model.predict(example).itertuples(index=False), model.explain(example)
    return {
        **{name: float(getattr(risk, name)) for name in ("risk", "risk_low", "risk_high", "margin")},
        "base": float(explanation.base_values[0]),
        "values": dict(zip(trained.manifest.features, explanation.data[0].tolist(), strict=True)),
        "contributions": dict(zip(trained.manifest.features, explanation.values[0].tolist(), strict=True)),
    }
