"""The lead's page: what the team can take up, who has how much, and what became of the children who were listed."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from histories.faults import Fault, Faults
from serving.counts import disclosed
from serving.pages.desk import Desk
from serving.pages.forms import Form, done, version_of
from serving.problems import Problem
from serving.store import boards, listing, people
from serving.store.work import Change

MOST_A_WEEK = 1000
WELL = "spoke_well"  # the outcome of a contact that says that a child is well


def routes(desk: Desk) -> APIRouter:
    """Return the routes of the lead's page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/team")
    def team(request: Request) -> Response:
        return _show(desk, request)

    @router.post("/team")
    def set_capacity(request: Request, fields: Form) -> Response:
        caller, w = request.state.caller, desk.pages.words
        if caller.authority is None:
            raise Problem(403, "A capacity is an authority's.")
        authority, version = caller.authority, version_of(fields)

        def again(status: int, wrong: list[str]) -> Response:
            text = w("team.wrong") if wrong else w("team.conflict")
            return _show(desk, request, status, errors=[{"text": text, "href": "#per_week"}])

        def save(change: Change) -> None:
            people.set_capacity(change, authority, desk.team(caller), _per_week(fields), version)

        return done(desk.store, request, save, "/team?done=saved", again)

    return router


def _per_week(fields: dict[str, str]) -> int:
    written = fields.get("per_week", "").strip()
    if not (written.isascii() and written.isdigit() and len(written) < 5 and 1 <= int(written) <= MOST_A_WEEK):
        raise Faults(Fault("this is no number of children a week", "per_week", f"Write 1 to {MOST_A_WEEK}."))
    return int(written)


def _show(desk: Desk, request: Request, status: int = 200, **more: Any) -> Response:
    caller = request.state.caller
    team = desk.team(caller)
    with desk.store.view(caller) as view:
        most = listing.per_week(view, team, desk.settings.per_week)
        found = boards.followed(view, most, [WELL], date.today())
        version = next((c["version"] for c in people.capacities(view) if c["team"] == team), 0)
        named = {p["person_id"]: p["name"] for p in people.people(view)}
        names = listing.school_names(view)
    shown = disclosed((date.today(), found.by_school), "urn")["counts"]
    model = desk.holder.model()
    banner = desk.pages.words("team.saved") if request.query_params.get("done") else None
    return desk.pages.page(
        request, "team", status, team=team, most=most, version=version, found=found, people=named, names=names, shown=shown,
        promise=promised(model.manifest, most) if model else None, banner=banner, **more,
    )  # fmt: skip


def promised(manifest: Any, most: int) -> dict[str, Any] | None:
    """Return what the model's card says of lists of about this length, or None when it was not judged.

    Returns
    -------
    dict
        ``listed`` (the length that was judged), ``precision``, ``low``, ``high`` and ``recall``.
    """
    figures = manifest.metrics.get(manifest.candidate, {})
    lengths = [int(name.split("_")[1]) for name in figures.get("at_capacity", {}) if name.endswith("_a_list")]
    if not lengths:
        return None
    nearest = min(lengths, key=lambda n: abs(n - most))
    name = f"top_{nearest}_a_list"
    at = figures["at_capacity"][name]
    low, high = figures["intervals"].get(f"{name}.precision", (None, None))
    return {"listed": nearest, "precision": at["precision"], "low": low, "high": high, "recall": at["recall"]}
