"""The change since the previous score: the themes that moved it, and the feature that moved each most."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from features.catalogue import catalogue
from features.sentences import true_sentences

MIN_CHANGE = 0.1  # minimal change of a theme, in log-odds
MIN_SHARE = 0.25  # minimal share of a theme's change for its strongest feature to be named
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
        Themes that raise the score more, or less, than before, each with the sentences, before and now, of the feature that moved it
        most; None for before when it hardly counted then, and for both when no feature stands out.
    unsaid : float
        The change of the score, in log-odds, that the themes named do not make up: of small themes, and of what is shown as no reason.
    """

    before: date
    same_model: bool
    risk: float
    grown: list[Line]
    shrunk: list[Line]
    unsaid: float = 0.0

    @property
    def rest(self) -> str:
        """The words for what the themes named leave open; empty if they tell it all."""
        named = bool(self.grown or self.shrunk)
        if abs(self.unsaid) < MIN_CHANGE:
            return "" if named else "nothing_changed"
        return f"{'beside' if named else 'unsaid'}_{'up' if self.unsaid > 0 else 'down'}"


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

    named = [t for t in order if abs(moves[t]) >= MIN_CHANGE]
    return ScoreChange(
        before=as_of,
        same_model=True,
        risk=risk,
        grown=lines(t for t in named if moves[t] > 0),
        shrunk=lines(t for t in named if moves[t] < 0),
        unsaid=_margin(now["score"]) - _margin(before["score"]) - sum(moves[t] for t in named),
    )


def _margin(score: Mapping[str, Any]) -> float:
    """Return a score in log-odds, before calibration; one model's scores differ by their contributions."""
    parts = (reason["contribution"] for side in ("reasons", "protective", "context") for reason in score.get(side, []))
    return score["margin"] if "margin" in score else sum(parts)


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
    """Return the sentences, before and now, of the strongest feature behind a change; None for both if none stands out.

    A feature whose value moved against the score, which other features must explain, is not named.
    """
    was, now = ({name: value for name, (value, _) in features.items()} for features in (old, new))
    parts = _least_changes(old, new, move)
    for name in sorted(parts, key=lambda n: (-parts[n] * move, n)):
        if parts[name] / move < MIN_SHARE:
            break
        feature, before, after = catalogue().by_name[name], was.get(name), now[name]
        if after is None or (name in old and (before is None or before == after)):
            continue
        if before is not None and feature.direction and (after - before) * feature.direction * move < 0:
            continue
        texts = [next((text for _, text in true_sentences(name, feature.sentences, v)), None) for v in (was, now)]
        if texts[0] != texts[1]:
            return texts[0], texts[1]
    return None, None


def _least_changes(
    old: Mapping[str, tuple[float | None, float]], new: Mapping[str, tuple[float | None, float]], move: float
) -> dict[str, float]:
    """Return by how much, at least, each feature shown now changed a theme in the direction of ``move``.

    A score holds the strongest features of a theme. One that was not among them counted no more than the weakest that was.
    """
    shown = [abs(contribution) for name, (_, contribution) in old.items() if name != "others"]
    unseen = math.copysign(min(shown, default=0.0), move) if "others" in old else 0.0
    parts = {name: now[1] - (old[name][1] if name in old else unseen) for name, now in new.items() if _is_reason(name)}
    return {name: part for name, part in parts.items() if part * move > 0}
