"""What kind of model was released, in words for the papers."""

from __future__ import annotations

from training.bundle import Manifest

RIDGE = "ridge logistic regression (standardised values, missing ones with a separate coefficient)"
BOOSTER = "gradient-boosted trees (LightGBM)"


def kind(manifest: Manifest) -> str:
    """Return the kind of model as part of a sentence.

    Examples
    --------
    >>> from types import SimpleNamespace as Released
    >>> kind(Released(parts=("booster",)))
    'gradient-boosted trees (LightGBM)'
    """
    if manifest.parts == ("ridge",):
        return RIDGE
    return BOOSTER if manifest.parts == ("booster",) else f"mean of the log-odds of a {RIDGE} and {BOOSTER}"


def sentence(words: str) -> str:
    """Return words with a capital letter at the front."""
    return words[:1].upper() + words[1:]
