"""What was known of a child as of a day: the cohort, the definitions of missing, and the features."""

from features.matrix import matrix
from features.outcome.cohort import CohortRule, cohort, default_as_of
from features.outcome.definition import Definition
from features.outcome.label import label
from features.own_features_trial import load_own_features
from histories.calendar import HORIZON

__all__ = ["HORIZON", "CohortRule", "Definition", "cohort", "default_as_of", "label", "load_own_features", "matrix"]
