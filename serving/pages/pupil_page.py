"""What one child's page shows: the score's reasons and the records behind them, protective factors, and what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from fastapi import Request
from starlette.responses import Response

from features.catalogue import catalogue
from histories.tables import TABLES
from serving.pages.context import PageContext
from serving.pages.timeline import timeline
from serving.store.cases import cases, casework
from serving.store.scores import stored_scores, week_list
from serving.store.sign_in import staff
from serving.store.unit_of_work import NotThere
from training.explanation.reasons import sentence_of

MIN_CHANGE = 0.1  # log-odds of a theme that are worth a line


def show(context: PageContext, request: Request, pupil_ref: str, status: int = 200, **more: Any) -> Response:
    """Return a child's page.

    Parameters
    ----------
    context : PageContext
    request : Request
    pupil_ref : str
    status : int
    more
        Values that a rejected form adds: its errors and what was written.

    Raises
    ------
    NotThere
        When there is no such child in the caller's scope.
    """
    with context.store.view(request.state.caller) as view:
        scores = stored_scores.history(view, pupil_ref)
        place = week_list.place(view, pupil_ref)
        if place is None:
            raise NotThere("pupil")
        current = [s for s in scores if s["replaced_at"] is None]
        case = cases.case_of(view, pupil_ref)
        case = cases.case(view, case["case_id"]) if case else None
        score: Any = current[-1]["score"] if current else None
        stored = {
            "at": place,
            "score": score,
            "stored_at": current[-1]["stored_at"] if current else None,
            "change": changed(current),
            "case": case,
            "deadlines": casework.deadlines(view, pupil_ref=pupil_ref),
            "people": {p["person_id"]: p["name"] for p in staff.active_staff(view)},
            "names": week_list.school_names(view),
            "sources": week_list.sources(view),
        }
        history = casework.pupil_history(view, place["pupil_id"])
        view.record("pupil.seen", pupils=[place["pupil_id"]])
    words, query = context.renderer.words, request.query_params
    doubted = _record(score, query.get("record", ""))
    done = query.get("done", "")
    shown = {
        "picture": timeline(history[1], history[0]) if history else None,
        "compared": history[1]["compared"] if history else [],
        "more_of": more_of,
        "today": date.today(),
        "settings": context.settings,
        "caller_id": request.state.caller.key_id,
        "tables": [(name, words(f"table.{name}")) for name in TABLES],
        "doubted": doubted or {"table": "attendance", "date": ""},
        "asked_for": "doubt" if doubted else "",
        "banner": words(f"case.done_{done}") if f"case.done_{done}" in words.messages else None,
        "written": {},
        "wrong": {},
    }
    return context.renderer.page(request, "pupil", status, **{**stored, **shown, **more})


def _record(score: dict[str, Any] | None, named: str) -> dict[str, str] | None:
    """Return the record that a link names by position; its day and text must not appear in an address."""
    reason, _, record = named.partition("-")
    try:
        return score["reasons"][int(reason)]["evidence"][int(record)] if score else None
    except (ValueError, IndexError):
        return None


@dataclass(frozen=True, kw_only=True)
class ScoreChange:
    """The change since the previous score.

    Attributes
    ----------
    before : date
        Day of the previous score.
    same_model : bool
        Whether one model made both; only then can reasons be compared.
    one_in : int
        The previous score's "1 in N".
    grown, shrunk : list of tuple
        Themes that raise the score more, or less, than before, each with its previous and current sentence.
    """

    before: date
    same_model: bool
    one_in: int
    grown: list[tuple[str, str | None, str | None]]
    shrunk: list[tuple[str, str | None, str | None]]


def changed(current: Sequence[dict[str, Any]]) -> ScoreChange | None:
    """Compare the newest score with the one before, by the sums of themes; None without an earlier score."""
    if len(current) < 2:
        return None
    now, earlier = current[-1], current[:-1]
    same_model = [h for h in earlier if h["model_version"] == now["model_version"] and h["as_of"] < now["as_of"]]
    before = (same_model or earlier)[-1]
    as_of, one_in = before["as_of"], before["score"]["one_in"]
    if not same_model:
        return ScoreChange(before=as_of, same_model=False, one_in=one_in, grown=[], shrunk=[])
    old, new = _themes(before["score"]), _themes(now["score"])
    nothing = (0.0, None)
    moves = {t: new.get(t, nothing)[0] - old.get(t, nothing)[0] for t in {*old, *new}}
    order = sorted(moves, key=lambda theme: -abs(moves[theme]))

    def lines(themes: Iterable[str]) -> list[tuple[str, str | None, str | None]]:
        return [(t, old.get(t, nothing)[1], new.get(t, nothing)[1]) for t in themes]

    return ScoreChange(
        before=as_of,
        same_model=True,
        one_in=one_in,
        grown=lines(t for t in order if moves[t] >= MIN_CHANGE),
        shrunk=lines(t for t in order if moves[t] <= -MIN_CHANGE),
    )


def _themes(score: dict[str, Any]) -> dict[str, tuple[float, str]]:
    """Return the sums of the themes that can be reasons; context, such as the year group, changes by itself."""
    return {r["theme"]: (r["contribution"], r["sentence"]) for r in score["reasons"] + score["protective"]}


def more_of(reason: dict[str, Any], digest: str) -> list[str]:
    """Return the theme's other sentences in the same direction; none when the score was made with other features."""
    if digest != catalogue().digest:
        return []
    values = {f["name"]: f["value"] for f in reason["features"]}
    up = reason["direction"] == "raises"
    sentences: list[str] = []
    for f in reason["features"]:
        declared = _declared().get(f["name"])
        if declared and declared["role"] == "reason" and (f["contribution"] > 0) == up:
            sentence = sentence_of(declared, values, up)
            if sentence and sentence != reason["sentence"] and sentence not in sentences:
                sentences.append(sentence)
    return sentences


@cache
def _declared() -> dict[str, dict[str, Any]]:
    return {d["name"]: d for d in catalogue().declarations()}
