"""Features defined by example: one file for each theme, used by the tests and the documentation."""

from features.specs import (
    attendance,
    behaviour,
    data_quality,
    family,
    home,
    lasting_absence,
    moves,
    needs,
    pupil,
    school,
    silence,
    transition,
)
from features.specs.spec import Spec

_FILES = (
    attendance,
    lasting_absence,
    silence,
    moves,
    transition,
    behaviour,
    needs,
    family,
    home,
    school,
    pupil,
    data_quality,
)
SPECS: tuple[Spec, ...] = tuple(s for file in _FILES for s in file.SPECS)


def specs_of(feature: str) -> list[Spec]:
    """Return the examples of a feature."""
    return [s for s in SPECS if feature in s.features]
