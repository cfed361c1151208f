"""The public face of onroll, for notebooks and programs.

>>> import onroll
>>> histories = onroll.open_histories("made-up")  # doctest: +SKIP
>>> x = onroll.features(histories, "2024-09-02")  # doctest: +SKIP
>>> model = onroll.load("onroll@champion")  # doctest: +SKIP
>>> shap.plots.beeswarm(model.explain(x))  # doctest: +SKIP

Each name is defined in one of the rooms and handed on here; it is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from histories.population.simulation import simulate
    from histories.reading.histories import Histories
    from training.classifier import OnrollClassifier
    from training.frames import features, labels, load, open_histories, train
    from training.risk_model import RiskModel

__all__ = [
    "Histories",
    "OnrollClassifier",
    "RiskModel",
    "features",
    "labels",
    "load",
    "open_histories",
    "simulate",
    "train",
]
HOMES = {
    "Histories": "histories.reading.histories",
    "OnrollClassifier": "training.classifier",
    "RiskModel": "training.risk_model",
    "simulate": "histories.population.simulation",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'onroll' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(HOMES.get(name, "training.frames")), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
