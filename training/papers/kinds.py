"""What kind of model was released, in words for the papers."""

from __future__ import annotations

from training.bundle import Manifest

RIDGE = (
    "ridge logistic regression (standardised values, lines that may bend, missing values with a separate coefficient)"
)
BOOSTER = "gradient-boosted trees (LightGBM)"


def kind(manifest: Manifest) -> str:
    """Return the kind of model as part of a sentence.

    Examples
    --------
    >>> from types import SimpleNamespace as Released
    >>> kind(Released(parts={"booster": 1.0}))
    'gradient-boosted trees (LightGBM)'
    """
    of_ridge = manifest.parts.get("ridge", 0.0)
    if of_ridge in (0.0, 1.0):
        return RIDGE if of_ridge else BOOSTER
    shares = "" if of_ridge == 0.5 else f" ({of_ridge:.0%} and {1 - of_ridge:.0%})"
    return f"mean of the log-odds of a {RIDGE} and {BOOSTER}{shares}"


def sentence(words: str) -> str:
    """Return words with a capital letter at the front."""
    return words[:1].upper() + words[1:]
