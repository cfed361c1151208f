"""Logistic regression on all features, and on those of school and area alone."""

from __future__ import annotations

from typing import Any

from features.catalogue import catalogue
from training.fitting.candidates.candidate import Learning, Scorer

NEGATIVES = 15_000  # rows without the outcome; enough to fit a few hundred coefficients, and reweighted


def elastic_net(learning: Learning) -> Scorer:
    """Fit elastic-net logistic regression on standardised values, with indicators of missing values (Zou and Hastie 2005)."""
    return _fit(learning, list(range(len(learning.names))))


def surroundings(learning: Learning) -> Scorer:
    """Fit the same on features of the school and the area only, none of the child.

    Perdomo and others (2023) found that such a model did as well as individual scores in Wisconsin. Every report shows whether that
    holds here.
    """
    return _fit(learning, learning.columns([n for n in learning.names if _of_the_place(n)]))


def _of_the_place(name: str) -> bool:
    feature = catalogue().by_name.get(name)
    return feature is not None and (feature.theme == "school" or name.startswith("area_") or name == "idaci_decile")


def _fit(learning: Learning, columns: list[int]) -> Scorer:
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    subset = learning.with_fewer_negatives(NEGATIVES)
    prepare = make_pipeline(
        SimpleImputer(strategy="mean", add_indicator=True, keep_empty_features=True), StandardScaler()
    )
    line: Any = LogisticRegression(
        C=0.01, l1_ratio=0.2, solver="saga", max_iter=60, tol=1e-3, random_state=learning.seed
    )
    with warnings.catch_warnings():
        # Limits the running time; changes in the third digit of coefficients do not change the order of children.
        warnings.simplefilter("ignore", ConvergenceWarning)
        line.fit(prepare.fit_transform(subset.x[:, columns]), subset.y, sample_weight=subset.weight)
    return lambda ahead: line.decision_function(prepare.transform(ahead[:, columns]))
