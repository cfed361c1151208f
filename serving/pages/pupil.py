"""One child's page: why the score is what it is, with the records behind it, what speaks for the child, and what is not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
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


def routes(desk: PageContext) -> APIRouter:
    """Return the route of a child's page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/pupils/{pupil_ref}")
    def pupil(pupil_ref: str, request: Request) -> Response:
        return show(desk, request, pupil_ref)

    return router


def show(desk: PageContext, request: Request, pupil_ref: str, status: int = 200, **more: Any) -> Response:
    """Return a child's page.

    Parameters
    ----------
    desk : PageContext
    request : Request
    pupil_ref : str
    status : int
    more
        What a form that was sent adds: its errors and what was written.

    Raises
    ------
    NotThere
        When there is no such child that the caller may see.
    """
    with desk.store.view(request.state.caller) as view:
        told = stored_scores.history(view, pupil_ref)
        at = week_list.place(view, pupil_ref)
        if at is None:
            raise NotThere("pupil")
        stands = [h for h in told if h["replaced_at"] is None]
        case = cases.case_of(view, pupil_ref)
        case = cases.case(view, case["case_id"]) if case else None
        found = {
            "at": at,
            "score": stands[-1]["score"] if stands else None,
            "stored_at": stands[-1]["stored_at"] if stands else None,
            "change": changed(stands),
            "case": case,
            "clocks": casework.deadlines(view, pupil_ref=pupil_ref),
            "people": {p["person_id"]: p["name"] for p in staff.active_staff(view)},
            "names": week_list.school_names(view),
            "sources": week_list.sources(view),
        }
        past = casework.pupil_history(view, at["pupil_id"])
        view.record("pupil.seen", pupils=[at["pupil_id"]])
    score: Any = found["score"]
    w, asked = desk.pages.words, request.query_params
    doubted = _record(score, asked.get("record", ""))
    own = {
        "picture": timeline(past[1], past[0]) if past else None,
        "compared": past[1]["compared"] if past else [],
        "more_of": more_of,
        "today": date.today(),
        "settings": desk.settings,
        "caller_id": request.state.caller.key_id,
        "tables": [(name, w(f"table.{name}")) for name in TABLES],
        "doubted": doubted or {"table": "attendance", "date": ""},
        "asked_for": "doubt" if doubted else "",
        "banner": w(f"case.done_{asked['done']}") if f"case.done_{asked.get('done')}" in w.messages else None,
        "written": {},
        "wrong": {},
    }
    return desk.pages.page(request, "pupil", status, **{**found, **own, **more})


def _record(score: dict[str, Any] | None, named: str) -> dict[str, str] | None:
    """Return the record that a link names by its place, since its day and text have no place in an address."""
    reason, _, record = named.partition("-")
    try:
        return score["reasons"][int(reason)]["evidence"][int(record)] if score else None
    except (ValueError, IndexError):
        return None


@dataclass(frozen=True, kw_only=True)
class ScoreChange:
    """What changed since the score before.

    Attributes
    ----------
    before : date
        The day of the score before.
    same_model : bool
        Whether one model made both: only then can reasons be compared.
    one_in : int
        What the score before said.
    grown, shrunk : list of tuple
        Themes that moved the score more, or less, than before, with their sentences before and now.
    """

    before: date
    same_model: bool
    one_in: int
    grown: list[tuple[str, str | None, str | None]]
    shrunk: list[tuple[str, str | None, str | None]]


def changed(stands: Sequence[dict[str, Any]]) -> ScoreChange | None:
    """Compare the newest score with the one before, by the sums of themes."""
    if len(stands) < 2:
        return None
    now, earlier = stands[-1], stands[:-1]
    alike = [h for h in earlier if h["model_version"] == now["model_version"] and h["as_of"] < now["as_of"]]
    before = (alike or earlier)[-1]
    if not alike:
        return ScoreChange(
            before=before["as_of"], same_model=False, one_in=before["score"]["one_in"], grown=[], shrunk=[]
        )
    a, b = _themes(before["score"]), _themes(now["score"])
    moves = {t: b.get(t, (0.0, None))[0] - a.get(t, (0.0, None))[0] for t in {*a, *b}}
    told = lambda t: (t, a.get(t, (0, None))[1], b.get(t, (0, None))[1])  # noqa: E731
    order = sorted(moves, key=lambda t: -abs(moves[t]))
    grown = [told(t) for t in order if moves[t] >= MIN_CHANGE]
    return ScoreChange(
        before=before["as_of"],
        same_model=True,
        one_in=before["score"]["one_in"],
        grown=grown,
        shrunk=[told(t) for t in order if moves[t] <= -MIN_CHANGE],
    )


def _themes(score: dict[str, Any]) -> dict[str, tuple[float, str]]:
    """Return the sums of themes that can be reasons; context, such as the year group, changes by itself."""
    return {r["theme"]: (r["contribution"], r["sentence"]) for r in score["reasons"] + score["protective"]}


def more_of(reason: dict[str, Any], digest: str) -> list[str]:
    """Return what else of a theme moved the score the same way, in sentences; nothing when the features were declared otherwise."""
    if digest != catalogue().digest:
        return []
    values = {f["name"]: f["value"] for f in reason["features"]}
    up = reason["direction"] == "raises"
    found = []
    for f in reason["features"]:
        declared = _declared().get(f["name"])
        if declared and declared["role"] == "reason" and (f["contribution"] > 0) == up:
            sentence = sentence_of(declared, values, up)
            if sentence and sentence != reason["sentence"] and sentence not in found:
                found.append(sentence)
    return found


@cache
def _declared() -> dict[str, dict[str, Any]]:
    return {d["name"]: d for d in catalogue().declarations()}
