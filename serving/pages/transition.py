"""The board of the move from primary to secondary school: who has no place yet, and in September who did not come."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from serving.casework.transitions import STATES
from serving.pages.context import PageContext
from serving.store.scores import boards, week_list

LOOK = ("no_show", "not_on_roll", "no_application", "declined", "offered")  # those whom somebody should look at
MAX = 200  # children named on the page


def routes(desk: PageContext) -> APIRouter:
    """Return the route of the board."""
    router = APIRouter(include_in_schema=False)

    @router.get("/transition")
    def transition(request: Request) -> Response:
        side = "to" if request.query_params.get("by") == "to" else "from"
        with desk.store.view(request.state.caller) as view:
            found = boards.transitions(view)
            names = week_list.school_names(view)
        states = [s for s in STATES if any(c["state"] == s for c in found)]
        each = ((state, [c for c in found if c["state"] == state]) for state in LOOK if state in states)
        named = [(state, len(whole), whole[:MAX]) for state, whole in each]
        missed = Counter(min(c["missed_days"], 10) for c in found if c["state"] == "no_show")
        return desk.pages.page(
            request,
            "transition",
            rows=_by_school(found, side),
            states=states,
            named=named,
            names=names,
            side=side,
            missed=sorted(missed.items()),
            as_of=found[0]["as_of"] if found else None,
            year=found[0]["entry_year"] if found else None,
            children=len(found),
        )

    return router


def _by_school(found: list[dict[str, Any]], side: str) -> list[tuple[str, Counter[str]]]:
    """Return how many children of each school are how far; those with most to look at first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for c in found:
        counts[c[f"{side}_urn"] or ""][c["state"]] += 1
    return sorted(counts.items(), key=lambda item: (-sum(item[1][s] for s in LOOK), item[0]))
