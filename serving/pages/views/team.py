"""The lead's page: the team's capacity, cases by person, and the outcomes of listed children."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from starlette.responses import Response

from features.groups.disclosure import partition, rounded, sums
from histories.calendar import london_today
from histories.errors import Fault, Faults
from serving.http.problems import Problem
from serving.pages.context import Context, PageContext
from serving.pages.forms import Form, save_and_redirect, version_of
from serving.pages.page import Endpoint, Page
from serving.pages.promise import promise_of
from serving.pages.staff_figures import figures
from serving.roles import ROLES
from serving.store import Caller
from serving.store.cases import team_work
from serving.store.cases.done import done_since
from serving.store.cases.hand_over import across_schools, moved_away
from serving.store.cases.hand_over import hand_over as give
from serving.store.scores import boards, week_list
from serving.store.scores.stored_scores import newest_list
from serving.store.sign_in import staff
from serving.store.unit_of_work import Change
from training.explanation.chance import last_day

MAX_A_WEEK = 1000


def team(request: Request, context: Context) -> Response:
    """Show the page."""
    return _show(context, request)


def set_capacity(request: Request, fields: Form, context: Context) -> Response:
    """Set the team's weekly capacity."""
    caller, words = request.state.caller, context.renderer.words
    if caller.authority is None or not _may_set(context, caller):
        raise Problem(403, "A capacity belongs to an authority, or to a team of its schools.")
    authority, version = caller.authority, version_of(fields)

    def show_again(status: int, wrong: list[str]) -> Response:
        text = words("team.wrong") if wrong else words("team.conflict")
        return _show(context, request, status, errors=[{"text": text, "href": "#per_week"}])

    def apply(change: Change) -> None:
        staff.set_capacity(change, authority, context.team(caller), _per_week(fields), version)

    return save_and_redirect(context.store, request, apply, "/team?done=saved", show_again)


def hand_over(case_id: str, request: Request, fields: Form, context: Context) -> Response:
    """Give a case to the authority that its child has moved to."""
    words, version = context.renderer.words, version_of(fields)

    def show_again(status: int, wrong: list[str]) -> Response:
        text = words("team.wrong_consent") if wrong else words("team.conflict_case")
        return _show(context, request, status, errors=[{"text": text, "href": "#moved"}])

    def apply(change: Change) -> None:
        consent = fields.get("consent", "")
        if consent not in context.settings.consents:
            raise Faults(Fault("this is not on the list", "consent", "Choose one from the list."))
        give(change, case_id, version, consent)

    return save_and_redirect(context.store, request, apply, "/team?done=handed_over", show_again)


def _may_set(context: PageContext, caller: Caller) -> bool:
    """Return whether a capacity is the caller's to set: who sees only some schools, and no team's, sets none for the others."""
    return caller.authority is not None and bool(context.team(caller) or not caller.urns)


def _per_week(fields: dict[str, str]) -> int:
    written = fields.get("per_week", "").strip()
    if not (written.isascii() and written.isdigit() and len(written) < 5 and 1 <= int(written) <= MAX_A_WEEK):
        raise Faults(Fault("this is not a number of children a week", "per_week", f"Write 1 to {MAX_A_WEEK}."))
    return int(written)


def _show(context: PageContext, request: Request, status: int = 200, **more: Any) -> Response:
    caller, settings, today = request.state.caller, context.settings, london_today()
    words = context.renderer.words
    team = context.team(caller)
    with context.store.view(caller) as view:
        most = week_list.per_week(view, team, settings.per_week)
        newest = newest_list(view)
        first = week_list.first_of_week(view, newest, most, today) if newest else set()
        finished = done_since(view, newest[0], settings.no_conversation, first) if newest else set()
        outcome = boards.list_outcome(view, most, settings.well, today, settings.no_conversation, team=team)
        version = next((c["version"] for c in staff.capacities(view) if c["team"] == team), 0)
        names_of_staff = staff.names_of(view, outcome.owners)
        names, moved, across = week_list.school_names(view), moved_away(view), across_schools(view)
        untouched = team_work.oldest_untouched(view, today)
        weeks = team_work.weeks(view, most, settings.no_conversation, team)
        details = context.details(view, [c["pupil_id"] for c in (*untouched, *moved, *across[1])], "team")
        people_decide = figures(view, today, most, team)
    done = request.query_params.get("done", "")
    banner = words(f"team.{done}") if done in ("saved", "handed_over") else None
    return context.renderer.page(
        request,
        "team",
        status,
        team=team,
        may_set=_may_set(context, caller),
        most=most,
        version=version,
        outcome=outcome,
        people=names_of_staff,
        names=names,
        moved=moved,
        across=across,
        untouched=untouched,
        involvement=people_decide,
        roles=ROLES,
        involvement_words={
            "set_aside": {**settings.not_for_this_child, "snoozed": words("involvement.snoozed")},
            "doubted": {**settings.doubts, "no_reason": words("involvement.no_reason")},
        },
        weeks=weeks,
        details=details,
        today=today,
        consents=settings.consents,
        listed=shareable(outcome.by_school, context.configuration.localities),
        promise=promise_of(context, newest, most),
        still_open=sum(last_day(day, outcome.horizon_days) >= today for day in outcome.days),
        newest=newest[0] if newest else None,
        finished=len(finished),
        first=len(first),
        banner=banner,
        **more,
    )


def shareable(
    by_school: Mapping[str, int], localities: Mapping[str, Sequence[str]]
) -> dict[str, tuple[dict[str, int], int]]:
    """Return how many children of each school and area were listed, with small counts suppressed.

    Parameters
    ----------
    by_school : mapping
        True counts by URN.
    localities : mapping
        The schools of each area; a school counts for the first that names it.

    Returns
    -------
    dict
        For ``schools`` and ``areas``: the shown counts, rounded, and how many places are left out, either as small counts or
        because they would reveal one.
    """
    areas = {urn: name for name, urns in reversed(list(localities.items())) for urn in urns if urn in by_school}
    whole, hidden = sums(by_school, areas), partition(by_school, areas)
    shown = {}
    for kind, places in (("schools", by_school), ("areas", dict.fromkeys(areas.values()))):
        counts = {place: rounded(whole[place]) for place in places if place not in hidden}
        shown[kind] = counts, len(places) - len(counts)
    return shown


PAGE = Page(
    name="team",
    route="/team",
    roles=("lead", "administrator"),
    sees="the outcomes of listed children in the caller's scope, and the cases that nobody has touched longest",
    handler=team,
    dear=True,
    menu=5,
    endpoints=(
        Endpoint(method="POST", route="/team", handler=set_capacity, sees="the team's capacity"),
        Endpoint(
            method="POST",
            route="/cases/{case_id}/hand-over",
            handler=hand_over,
            sees="that a case of the caller's scope went to the authority of its child",
        ),
    ),
)
