"""The change since the previous score: the themes that moved it, and the feature behind each, if a single one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from features.catalogue import catalogue
from features.sentences import true_sentences

MIN_CHANGE = 0.1  # minimal change of a theme, in log-odds
MIN_SHARE = 0.5  # minimal share of a theme's change for a single feature to be named
Line = tuple[str, str | None, str | None]


@dataclass(frozen=True, kw_only=True)
class ScoreChange:
    """The change since the previous score.

    Attributes
    ----------
    before : date
        Day of the previous score.
    same_model : bool
        Whether one model made both; only then can reasons be compared.
    risk : float
        The previous score's risk.
    grown, shrunk : list of tuple
        Themes that raise the score more, or less, than before, each with the sentences, before and now, of the one feature that moved
        it; None for both when no single feature did.
    """

    before: date
    same_model: bool
    risk: float
    grown: list[Line]
    shrunk: list[Line]


def changed(current: Sequence[dict[str, Any]]) -> ScoreChange | None:
    """Compare the newest score with the previous one by theme; None if there is no earlier score."""
    if len(current) < 2:
        return None
    now, earlier = current[-1], current[:-1]
    same_model = [h for h in earlier if h["model_version"] == now["model_version"] and h["as_of"] < now["as_of"]]
    before = (same_model or earlier)[-1]
    as_of, risk = before["as_of"], before["score"]["risk"]
    if not same_model:
        return ScoreChange(before=as_of, same_model=False, risk=risk, grown=[], shrunk=[])
    old, new = _themes(before["score"]), _themes(now["score"])
    moves = {t: _sum(new, t) - _sum(old, t) for t in {*old, *new}}
    order = sorted(moves, key=lambda theme: (-abs(moves[theme]), theme))

    def lines(themes: Iterable[str]) -> list[Line]:
        return [(t, *_moved_by(old.get(t, {}), new.get(t, {}), moves[t])) for t in themes]

    return ScoreChange(
        before=as_of,
        same_model=True,
        risk=risk,
        grown=lines(t for t in order if moves[t] >= MIN_CHANGE),
        shrunk=lines(t for t in order if moves[t] <= -MIN_CHANGE),
    )


def _themes(score: Mapping[str, Any]) -> dict[str, dict[str, tuple[float | None, float]]]:
    """Return each theme's features with their values and contributions; context, such as the year group, changes by itself."""
    themes: dict[str, dict[str, tuple[float | None, float]]] = {}
    for reason in score["reasons"] + score["protective"] + score.get("context", []):
        features = {f["name"]: (f["value"], f["contribution"]) for f in reason["features"]}
        if any(_is_reason(name) for name in features) or reason not in score.get("context", []):
            themes.setdefault(reason["theme"], {}).update(features or {"others": (None, reason["contribution"])})
    return themes


def _is_reason(name: str) -> bool:
    feature = catalogue().by_name.get(name)
    return feature is not None and feature.role == "reason"


def _sum(themes: Mapping[str, Mapping[str, tuple[float | None, float]]], theme: str) -> float:
    return sum(contribution for _, contribution in themes.get(theme, {}).values())


def _moved_by(
    old: Mapping[str, tuple[float | None, float]], new: Mapping[str, tuple[float | None, float]], move: float
) -> tuple[str | None, str | None]:
    """Return the sentences, before and now, of the feature behind most of a change; None for both if there is no such feature.

    A feature whose value moved against the score, which other features must explain, is not named.
    """
    was, now = ({name: value for name, (value, _) in features.items()} for features in (old, new))
    parts = {n: new[n][1] - old[n][1] for n in old.keys() & new.keys() if _is_reason(n)}
    for name in sorted(parts, key=lambda n: (-parts[n] * move, n)):
        if parts[name] / move < MIN_SHARE:
            break
        feature, before, after = catalogue().by_name[name], was[name], now[name]
        if before is None or after is None or before == after:
            continue
        if feature.direction and (after - before) * feature.direction * move < 0:
            continue
        texts = [next((text for _, text in true_sentences(name, feature.sentences, v)), None) for v in (was, now)]
        if texts[0] != texts[1]:
            return texts[0], texts[1]
    return None, None
