"""Ablation by theme: the same model without one theme, at the newest origins and on the same resamples."""

from __future__ import annotations

from typing import Any

import numpy as np

from features.catalogue import catalogue
from training.fitting.candidates import Candidate, Learn, Learning, Scorer
from training.fitting.rolling_origin import predict
from training.fitting.splits import Splits
from training.measures.evaluate import Judged, Resamples, interval
from training.measures.metrics import numbers
from training.pipeline import Trained
from training.task import ProgressCallback, quiet


def by_theme(trained: Trained, seed: int, advance: ProgressCallback = quiet) -> dict[str, dict[str, Any]]:
    """Return, by theme, the average precision lost without its features, with an interval over pupils.

    Evaluated at the two newest origins. Other themes often compensate for a lost one, so a small loss does not mean that a theme is
    unused.
    """
    splits = Splits(trained.splits.dates, [o for o in trained.splits.origins if o.judged][-2:])
    themes = [t for t in catalogue().themes if any(catalogue().by_name[n].theme == t for n in catalogue().names)]
    whole = Candidate("whole", "all themes", trained.learn, trained.settings, side_by_side=True)
    without = [
        Candidate(
            t, f"without {catalogue().themes[t]}", _without(t, trained.learn), trained.settings, side_by_side=True
        )
        for t in themes
    ]
    predictions = predict(
        frame=trained.frame,
        names=catalogue().names,
        splits=splits,
        candidates=[whole, *without],
        seed=seed,
        advance=advance,
    )
    pupil, lists = numbers(predictions.frame, "pupil_id"), numbers(predictions.frame, "authority", "as_of")
    resamples = Resamples(pupil, seed)
    draws = {
        name: resamples.draws(
            Judged(score=margins, label=predictions.label, pupil=pupil, list_of=lists, weight=predictions.weight)
        )["average_precision"]
        for name, margins in predictions.margins.items()
    }
    return {
        t: {
            "features": sum(catalogue().by_name[n].theme == t for n in catalogue().names),
            "lost": float(np.nanmean(draws["whole"] - draws[t])),
            "interval": interval(draws["whole"] - draws[t]),
        }
        for t in themes
    }


def _without(theme: str, learn: Learn) -> Learn:
    def learn_less(learning: Learning) -> Scorer:
        kept = learning.columns([n for n in learning.names if catalogue().by_name[n].theme != theme])
        margins = learn(learning.with_columns(kept))
        return lambda x: margins(x[:, kept])

    return learn_less
