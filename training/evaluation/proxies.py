"""Proxies: how well, and from which features, membership of a protected group can be predicted.

A model that never sees ethnicity can still act on it through other features. An AUC near 0.5 means that the features hardly predict
the group. A high AUC means that they can, not that the risk model uses them so.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from features.groups.groups import BY_NAME, PROTECTED
from training.fitting.candidates import Learning, boosted

SETTINGS = {
    **boosted.DEFAULTS,
    "rounds": 60,
    "learning_rate": 0.1,
    "num_leaves": 15,
    "monotone": False,
    "negative_share": 1.0,
}
FOLDS = 3
MAX = 20_000  # snapshots; more hardly change the result
MIN = 50  # minimal number of children inside and outside a group
TOP = 5


@dataclass(frozen=True, kw_only=True)
class ProxyFeature:
    """How well the features predict one group.

    Attributes
    ----------
    group, value : str
    auc : float
        Area under the curve on pupils that the light model did not see.
    top : list of tuple
        The strongest features, each with its share of all contributions.
    top_share : float
        Their combined share.
    in_model : float or None
        The share of the risk model's contributions that comes from these features.
    """

    group: str
    value: str
    auc: float
    top: list[tuple[str, float]]
    top_share: float
    in_model: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return asdict(self) | {
            "title": BY_NAME[self.group].title_of(self.value) if self.group in BY_NAME else self.value
        }


def proxies(
    x: np.ndarray,
    names: list[str],
    pupils: np.ndarray,
    groups: pl.DataFrame,
    *,
    weight: np.ndarray | None = None,
    importance: dict[str, float] | None = None,
    seed: int = 1,
) -> list[ProxyFeature]:
    """Predict each protected group from the features with a light model, cross-validated by pupil.

    Parameters
    ----------
    x : float64 array, shape (rows, features)
    names : list of str
        Names of the columns.
    pupils : int array, shape (rows,)
        The number of each row's pupil.
    groups : polars.DataFrame
        Columns of groups, in row order; unprotected groups are ignored.
    weight : float array, shape (rows,), optional
        Weight of each row.
    importance : dict, optional
        Mean absolute contribution of each feature in the risk model.

    Returns
    -------
    list of Proxy
        Best predicted first; groups with fewer than 50 children inside or outside are left out.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    rows = np.sort(rng.choice(len(x), min(len(x), MAX), replace=False))
    x, pupils, groups = x[rows], pupils[rows], groups[rows]
    weight = np.ones(len(x)) if weight is None else weight[rows]
    fold = rng.integers(0, FOLDS, int(pupils.max()) + 1)[pupils] if len(pupils) else pupils
    proxies_found = []
    for name in (n for n in PROTECTED if n in groups.columns):
        values = groups[name].unique().sort().to_list()
        # A group with two values needs only one model.
        for value in values[: 1 if len(values) == 2 else None]:
            inside = (groups[name] == value).to_numpy()
            if min(len(np.unique(pupils[inside])), len(np.unique(pupils[~inside]))) >= MIN:
                proxies_found.append(
                    _predictability(
                        Learning(x=x, y=inside.astype(float), weight=weight, names=names, seed=seed),
                        fold,
                        name,
                        value,
                        importance,
                    )
                )
    return sorted(proxies_found, key=lambda p: -p.auc)


def _predictability(
    learning: Learning, fold: np.ndarray, group: str, value: str, importance: dict[str, float] | None
) -> ProxyFeature:
    from sklearn.metrics import roc_auc_score

    margins, moved = np.zeros(len(learning.y)), np.zeros(len(learning.names))
    for n in range(FOLDS):
        held_out = fold == n
        booster = boosted.train(learning.rows(~held_out), SETTINGS)
        parts = booster.predict(learning.x[held_out], pred_contrib=True)
        margins[held_out] = parts.sum(axis=1)
        moved += learning.weight[held_out] @ np.abs(parts[:, :-1])
    share = moved / moved.sum() if moved.sum() else moved
    top = [(learning.names[i], float(share[i])) for i in np.argsort(-share, kind="stable")[:TOP] if share[i] > 0]
    whole = sum(importance.values()) if importance else 0.0
    in_model = sum(importance.get(n, 0.0) for n, _ in top) / whole if importance and whole else None
    auc = float(roc_auc_score(learning.y, margins, sample_weight=learning.weight))
    return ProxyFeature(
        group=group, value=value, auc=auc, top=top, top_share=float(sum(s for _, s in top)), in_model=in_model
    )


def text(proxies_found: list[ProxyFeature]) -> str:
    """Return the proxies as text, one per line."""
    lines = []
    for p in proxies_found:
        title = BY_NAME[p.group].title_of(p.value) if p.group in BY_NAME else p.value
        held_out = "" if p.in_model is None else f"; {p.in_model:.0%} of the risk model's contributions"
        lines.append(
            f"AUC {p.auc:.2f}  {p.group}: {title}, mostly by {', '.join(n for n, _ in p.top)} ({p.top_share:.0%} of it{held_out})"
        )
    return "\n".join(lines) or "no protected group is large enough to evaluate"
