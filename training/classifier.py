"""onroll's candidates as a classifier of scikit-learn: directions, missing values, calibration and exact explanations."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedKFold
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, check_random_state, validate_data

from features.catalogue import catalogue
from training.bundle import BOOSTER_ALONE, PARTS
from training.explanation.leaf_tables import LeafTables
from training.explanation.scorer import MeanScorer, Scorer
from training.explanation.trees import read_forest
from training.fitting.candidates import Learning, boosted, ridge
from training.measures import calibration

if TYPE_CHECKING:
    import shap

KINDS = {**PARTS, "lightgbm": BOOSTER_ALONE}
POSITIVE, SHARE = Interval(Real, 0, None, closed="neither"), Interval(Real, 0, 1, closed="right")


class OnrollClassifier(ClassifierMixin, BaseEstimator):
    """Ridge logistic regression, LightGBM, or a mean of their log-odds, calibrated on folds that the model has not seen.

    Columns named after features of the catalogue keep its directions. Missing values are NaN and are learned from.

    Parameters
    ----------
    kind : {"mean", "weighted_mean", "ridge", "lightgbm"}
        ``weighted_mean`` takes three parts of the ridge regression and one of LightGBM.
    monotone : bool
        Whether the directions of the catalogue hold.
    rounds, learning_rate, num_leaves, max_depth, min_data_in_leaf, feature_fraction, lambda_l2, negative_share
        Of LightGBM; see ``boosted.DEFAULTS``.
    strength : float, optional
        Prior variance of a standardised coefficient of the ridge regression; ``ridge.STRENGTH`` by default.
    folds : int
        Of the calibration; fewer if a class has fewer rows, and none below two.
    random_state : int, RandomState or None

    Attributes
    ----------
    classes_ : array, shape (2,)
        The second is the outcome.
    calibrator_ : tuple of float
        Slope and intercept: the probability is ``sigmoid(slope * margin + intercept)``.
    scorer_ : Scorer
        Margins and exact contributions, in log-odds before calibration.
    n_features_in_, feature_names_in_
        As scikit-learn has them.
    """

    # What scikit-learn checks before a fit, and says when it is wrong.
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "kind": [StrOptions(set(KINDS))],
        "monotone": ["boolean"],
        "rounds": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [POSITIVE],
        "num_leaves": [Interval(Integral, 2, None, closed="left")],
        "max_depth": [Integral],
        "min_data_in_leaf": [Interval(Integral, 0, None, closed="left")],
        "feature_fraction": [SHARE],
        "lambda_l2": [Interval(Real, 0, None, closed="left")],
        "negative_share": [SHARE],
        "strength": [POSITIVE, None],
        "folds": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        kind: str = "mean",
        *,
        monotone: bool = True,
        rounds: int = 400,
        learning_rate: float = 0.015,
        num_leaves: int = 7,
        max_depth: int = 6,
        min_data_in_leaf: int = 40,
        feature_fraction: float = 0.3,
        lambda_l2: float = 10.0,
        negative_share: float = 0.3,
        strength: float | None = None,
        folds: int = 5,
        random_state: Any = None,
    ) -> None:
        self.kind = kind
        self.monotone = monotone
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.max_depth = max_depth
        self.min_data_in_leaf = min_data_in_leaf
        self.feature_fraction = feature_fraction
        self.lambda_l2 = lambda_l2
        self.negative_share = negative_share
        self.strength = strength
        self.folds = folds
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> OnrollClassifier:
        """Fit the model, and its calibration on folds.

        Parameters
        ----------
        X : array or frame, shape (rows, features)
        y : array, shape (rows,)
            Two classes; the greater is the outcome.
        sample_weight : array, optional, shape (rows,)

        Raises
        ------
        ValueError
            If there are not exactly two classes, or a parameter is out of range.
        """
        self._validate_params()
        X, y = validate_data(self, X, y, ensure_all_finite="allow-nan", dtype=np.float64, ensure_min_samples=2)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        check_classification_targets(y)
        if type_of_target(y) != "binary" or len(np.unique(y)) != 2:
            found = "1 class" if len(np.unique(y)) == 1 else f"The type of the target is {type_of_target(y)}"
            raise ValueError(f"Only binary classification is supported. {found}.")
        self.classes_, outcome = np.unique(y, return_inverse=True)
        kept = weight > 0
        learning = Learning(
            x=X[kept],
            y=outcome[kept].astype(np.float64),
            weight=weight[kept],
            names=self._names(),
            seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
        )
        self.scorer_ = self._learn(learning)
        self.calibrator_ = calibration.fit(self._unseen_margins(learning), learning.y, learning.weight)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the calibrated log-odds of the outcome, shape (rows,)."""
        check_is_fitted(self)
        slope, intercept = self.calibrator_
        return slope * self.scorer_.margins(self._checked(X)) + intercept

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of both classes, shape (rows, 2)."""
        log_odds = self.decision_function(X)
        outcome = np.exp(-np.logaddexp(0.0, -log_odds))
        return np.column_stack([1.0 - outcome, outcome])

    def predict(self, X: Any) -> np.ndarray:
        """Return the likelier class of each row, shape (rows,)."""
        log_odds = self.decision_function(X)
        return self.classes_[(log_odds > 0).astype(int)]

    def explain(self, X: Any) -> shap.Explanation:
        """Return exact Shapley values in log-odds before calibration, shape (rows, features)."""
        import shap

        check_is_fitted(self)
        x = self._checked(X)
        parts = self.scorer_.contributions(x)
        names = list(getattr(self, "feature_names_in_", self._names()))
        return shap.Explanation(values=parts[:, :-1], base_values=parts[:, -1], data=x, feature_names=names)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags

    def _checked(self, X: Any) -> np.ndarray:
        return validate_data(self, X, reset=False, ensure_all_finite="allow-nan", dtype=np.float64)

    def _names(self) -> list[str]:
        """Return the features' names, where the catalogue knows them; LightGBM takes no others."""
        given = getattr(self, "feature_names_in_", [None] * self.n_features_in_)
        return [name if name in catalogue().by_name else f"column_{n}" for n, name in enumerate(given)]

    def _learn(self, learning: Learning) -> Scorer:
        settings = {name: getattr(self, name) for name in boosted.DEFAULTS}
        parts: list[Scorer] = []
        for part in KINDS[self.kind]:
            if part == "ridge":
                parts.append(ridge.fit(learning, self.monotone, self.strength or ridge.STRENGTH))
            else:
                text = boosted.train(learning, settings).model_to_string(num_iteration=-1)
                parts.append(LeafTables(read_forest(text, "the classifier")))
        return parts[0] if len(parts) == 1 else MeanScorer(parts, list(KINDS[self.kind].values()))

    def _unseen_margins(self, learning: Learning) -> np.ndarray:
        """Return margins of the rows by models that have not seen them; those of the model itself if rows are too few."""
        folds = min(self.folds, int(np.bincount(learning.y.astype(int), minlength=2).min()))
        if folds < 2:
            return self.scorer_.margins(learning.x)
        margins = np.zeros(len(learning.y))
        split = StratifiedKFold(folds, shuffle=True, random_state=learning.seed)
        for learned, held in split.split(learning.x, learning.y):
            margins[held] = self._learn(learning.rows(learned)).margins(learning.x[held])
        return margins
