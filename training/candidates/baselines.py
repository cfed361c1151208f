"""What a model has to beat: logistic regression, a plain checklist, and knowing nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

# A checklist of the kind that authorities use to find children at risk: points for what can be ticked.
CHECKLIST: tuple[tuple[str, float, int], ...] = (
    ("absent_rate_90d", 0.10, 1), ("absent_rate_90d", 0.50, 2), ("unauthorised_rate_90d", 0.05, 1), ("suspensions_365d", 1, 1),
    ("permanent_exclusions", 1, 2), ("in_year_moves_365d", 1, 2), ("home_moves_365d", 1, 1), ("temporary_home", 1, 1),
    ("cin_open", 1, 2), ("cpp_open", 1, 2), ("sen_plan", 1, 1), ("sen_support", 1, 1), ("past_cases", 1, 3),
    ("no_application", 1, 3), ("offer_declined", 1, 3), ("offer_not_answered", 1, 2),
)  # fmt: skip


def checklist(x: np.ndarray, names: list[str]) -> np.ndarray:
    """Return the points of each row: shape (rows,)."""
    at = {n: i for i, n in enumerate(names)}
    points = np.zeros(len(x))
    for name, least, worth in CHECKLIST:
        points += worth * (np.nan_to_num(x[:, at[name]], nan=0.0) >= least)
    return points


def logistic(x: np.ndarray, y: np.ndarray) -> Any:
    """Fit logistic regression on standardised values with flags for what is missing."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    impute = SimpleImputer(strategy="mean", add_indicator=True, keep_empty_features=True)
    return make_pipeline(impute, StandardScaler(), LogisticRegression(C=0.01, max_iter=500)).fit(x, y)
