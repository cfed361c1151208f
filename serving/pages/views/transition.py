"""The move from primary to secondary school: children without a place and, in September, children who did not arrive."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import partial
from operator import itemgetter
from typing import Any

from fastapi import Request
from starlette.responses import Response

from serving.casework.transitions import AUTUMN, STATES
from serving.pages.context import Context
from serving.pages.page import Page
from serving.pages.parts import Place
from serving.roles import IDENTITIES
from serving.store.parts import part_of_rows
from serving.store.scores import boards, week_list
from serving.store.scores.stored_scores import newest_risks
from training.explanation.chance import last_day

TO_CHECK = ("no_show", "not_on_roll", "no_application", "declined", "offered")  # states that somebody should follow up


def transition(request: Request, context: Context) -> Response:
    """Show the page."""
    side = "to" if request.query_params.get("by") == "to" else "from"
    with context.store.view(request.state.caller) as view:
        moves = boards.transitions(view)
        names = week_list.school_names(view)
        followed_up = [m["pupil_id"] for m in moves if m["state"] in TO_CHECK]
        risks = {} if context.withdrawn else newest_risks(view, followed_up)
        # Most likely to go missing first; children without a score come last.
        moves.sort(key=partial(_by_risk, risks))
        states = [s for s in STATES if any(m["state"] == s for m in moves)]
        by_state = {state: [m for m in moves if m["state"] == state] for state in TO_CHECK if state in states}
        counts = {state: len(children) for state, children in by_state.items()}
        place = Place.of(request.query_params, TO_CHECK).within(counts)
        shown = {place.group: by_state[place.group]} if place.group else by_state
        groups = {
            state: part_of_rows(children, itemgetter("pupil_ref"), place.most(), place.position)
            for state, children in shown.items()
        }
        details = context.details(view, [c["pupil_id"] for part in groups.values() for c in part.rows], "transition")
    missed = Counter(min(m["missed_days"], 10) for m in moves if m["state"] == "no_show")
    return context.renderer.page(
        request,
        "transition",
        rows=_by_school(moves, side),
        states=states,
        groups=groups,
        counts=counts,
        place=place,
        details=details,
        names=names,
        side=side,
        missed=sorted(missed.items()),
        as_of=moves[0]["as_of"] if moves else None,
        year=moves[0]["entry_year"] if moves else None,
        children=len(moves),
        moving=7 if moves and moves[0]["as_of"].month in AUTUMN else 6,
        risks={pupil: score["risk"] for pupil, score in risks.items()},
        until=max((last_day(score["as_of"], score["horizon_days"]) for score in risks.values()), default=None),
    )


def _by_risk(risks: dict[str, dict[str, Any]], move: dict[str, Any]) -> float:
    score = risks.get(move["pupil_id"])
    return -score["risk"] if score else 1.0


def _by_school(moves: list[dict[str, Any]], side: str) -> list[tuple[str, Counter[str]]]:
    """Count each school's children by state; schools with most children to follow up first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for move in moves:
        counts[move[f"{side}_urn"] or ""][move["state"]] += 1
    return sorted(counts.items(), key=lambda item: (-sum(item[1][s] for s in TO_CHECK), item[0]))


PAGE = Page(
    name="transition",
    route="/transition",
    roles=IDENTITIES,
    sees="moves to secondary school of children of the caller's scope",
    handler=transition,
    dear=True,
    menu=4,
)
