"""What was known of a child as of a day: the cohort, the definitions of missing, and the features."""

from features import own_features
from features.catalogue import OWN
from features.matrix import matrix
from features.outcome.cohort import CohortRule, cohort, default_as_of
from features.outcome.definition import Definition
from features.outcome.label import label
from histories.calendar import HORIZON

__all__ = ["HORIZON", "CohortRule", "Definition", "cohort", "default_as_of", "label", "matrix"]

if OWN.features:
    own_features.try_out(OWN)
