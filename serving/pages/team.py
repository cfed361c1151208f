"""The lead's page: what the team can take up, who has how much, and what became of the children who were listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from features.groups.disclosure import partition, rounded, sums
from histories.errors import Fault, Faults
from serving.http.problems import Problem
from serving.pages.context import PageContext
from serving.pages.forms import Form, done, version_of
from serving.store.scores import boards, week_list
from serving.store.sign_in import staff
from serving.store.unit_of_work import Change

MAX_A_WEEK = 1000
WELL = "spoke_well"  # the outcome of a contact that says that a child is well


def routes(desk: PageContext) -> APIRouter:
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
            staff.set_capacity(change, authority, desk.team(caller), _per_week(fields), version)

        return done(desk.store, request, save, "/team?done=saved", again)

    return router


def _per_week(fields: dict[str, str]) -> int:
    written = fields.get("per_week", "").strip()
    if not (written.isascii() and written.isdigit() and len(written) < 5 and 1 <= int(written) <= MAX_A_WEEK):
        raise Faults(Fault("this is no number of children a week", "per_week", f"Write 1 to {MAX_A_WEEK}."))
    return int(written)


def _show(desk: PageContext, request: Request, status: int = 200, **more: Any) -> Response:
    caller = request.state.caller
    team = desk.team(caller)
    with desk.store.view(caller) as view:
        most = week_list.per_week(view, team, desk.settings.per_week)
        found = boards.list_outcome(view, most, [WELL], date.today())
        version = next((c["version"] for c in staff.capacities(view) if c["team"] == team), 0)
        named = {p["person_id"]: p["name"] for p in staff.active_staff(view)}
        names = week_list.school_names(view)
    model = desk.holder.model()
    banner = desk.pages.words("team.saved") if request.query_params.get("done") else None
    return desk.pages.page(
        request,
        "team",
        status,
        team=team,
        most=most,
        version=version,
        found=found,
        people=named,
        names=names,
        listed=shareable(found.by_school, desk.configuration.localities),
        promise=promised(model.manifest, most) if model else None,
        children=_children,
        banner=banner,
        **more,
    )


def _children(n: float) -> str:
    """Write a number of children that was worked out: whole ones, and tenths of a single one."""
    return f"{n:.0f}" if n >= 1 else f"{n:.1f}"


def shareable(
    by_school: Mapping[str, int], localities: Mapping[str, Sequence[str]]
) -> dict[str, tuple[dict[str, int], int]]:
    """Return how many children were listed in which schools and areas, as it may be shared.

    Parameters
    ----------
    by_school : mapping
        True counts by URN.
    localities : mapping
        The schools of each area; a school counts for the first that names it.

    Returns
    -------
    dict
        For ``schools`` and ``areas`` the counts that are shown, rounded, and how many places are left out: small ones, and those that
        would give a small one away.
    """
    areas = {urn: name for name, urns in reversed(list(localities.items())) for urn in urns if urn in by_school}
    whole, hidden = sums(by_school, areas), partition(by_school, areas)
    shown = {}
    for kind, places in (("schools", by_school), ("areas", dict.fromkeys(areas.values()))):
        told = {place: rounded(whole[place]) for place in places if place not in hidden}
        shown[kind] = told, len(places) - len(told)
    return shown


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
