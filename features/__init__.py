"""What was known of a child as of a day: the cohort, the definitions of missing, and the features."""

from features import own
from features.catalogue import OWN
from features.cohort import CohortRule, cohort, default_as_of
from features.definition import Definition
from features.label import HORIZON, label
from features.matrix import matrix

__all__ = ["HORIZON", "CohortRule", "Definition", "cohort", "default_as_of", "label", "matrix"]

if OWN.features:
    own.try_out(OWN)
