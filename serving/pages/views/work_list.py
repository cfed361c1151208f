"""The week's list: children by rank, with the records' line, what was done last, the next deadline, and forms on the row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from histories.calendar import london_today
from histories.errors import Fault, Faults
from serving.pages import case_forms, list_export
from serving.pages.context import Context, PageContext
from serving.pages.forms import Form, save_and_redirect
from serving.pages.list_query import SORTS, ListQuery
from serving.pages.page import Endpoint, Page
from serving.pages.promise import promise_of
from serving.pages.records_line import row_line
from serving.pages.rendering import HEADERS
from serving.roles import IDENTITIES
from serving.store.cases import cases, casework, done, family, saved_filters, silence
from serving.store.cases.hand_over import across_schools
from serving.store.people import details
from serving.store.scores import pupil_search, week_list
from serving.store.scores.chosen import SHOWS, WHOLE
from serving.store.scores.own_schools import own_schools
from serving.store.scores.stored_scores import newest_list
from serving.store.sign_in import staff
from serving.store.unit_of_work import Change, View

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ASSIGNING = ("lead", "administrator")  # roles that give several cases at once
NOBODY = "-"  # to whom cases are given that are taken away
TICKED = "child-"  # begins the name of a ticked child's field


def work_list(request: Request, context: Context) -> Response:
    """Show the page."""
    banners = {
        "contact": "case.done_contact",
        "wake": "case.done_wake",
        "assigned": "work_list.assigned",
        "unassigned": "work_list.unassigned",
        "filter": "work_list.filter_done",
    }
    banner = banners.get(request.query_params.get("done", ""))
    return _show(context, request, banner=context.renderer.words(banner) if banner else None)


def record_contact(pupil_ref: str, request: Request, fields: Form, context: Context) -> Response:
    """Record a contact with a child's family, from the child's row."""
    words = context.renderer.words

    def show_again(status: int, wrong: list[str]) -> Response:
        messages = {name: words(f"case.wrong_{name}") for name in wrong}
        errors = [{"text": text, "href": f"#contact-{pupil_ref}-{name}"} for name, text in messages.items()]
        errors = errors or [{"text": words("case.conflict"), "href": f"#child-{pupil_ref}"}]
        return _show(context, request, status, errors=errors, wrong={pupil_ref: messages}, written={pupil_ref: fields})

    apply = case_forms.changing(context, pupil_ref, "contact", fields)
    return save_and_redirect(
        context.store, request, apply, f"{_address(request, context, 'contact')}#child-{pupil_ref}", show_again
    )


def put_back(pupil_ref: str, request: Request, fields: Form, context: Context) -> Response:
    """Put a child who is set aside back on the list, from the child's row."""
    text = context.renderer.words("case.conflict")

    def show_again(status: int, wrong: list[str]) -> Response:
        return _show(context, request, status, errors=[{"text": text, "href": f"#child-{pupil_ref}"}])

    apply = case_forms.changing(context, pupil_ref, "wake", fields)
    return save_and_redirect(context.store, request, apply, _address(request, context, "wake"), show_again)


def assign(request: Request, fields: Form, context: Context) -> Response:
    """Give the ticked children's cases to one person, all of them or none; to take them away is a choice of its own."""
    words, to = context.renderer.words, fields.get("to", "")
    ticked = {name.removeprefix(TICKED): value for name, value in fields.items() if name.startswith(TICKED)}

    def show_again(status: int, wrong: list[str]) -> Response:
        key = {"to": "case.wrong_to", "child": "work_list.nobody_ticked"}.get(wrong[0]) if wrong else None
        errors = [{"text": words(key or "work_list.assign_conflict"), "href": "#assign-to"}]
        return _show(context, request, status, errors=errors, ticked=set(ticked), given_to=fields.get("to", ""))

    def apply(change: Change) -> None:
        if not ticked:
            raise Faults(Fault("no child is ticked", "child", "Tick one."))
        if not to:
            raise Faults(Fault("nobody is chosen", "to", "Choose one."))
        for pupil_ref, version in ticked.items():
            one = {"version": version, "to": "" if to == NOBODY else to}
            case_forms.changing(context, pupil_ref, "assign", one)(change)

    done_there = _address(request, context, "unassigned" if to == NOBODY else "assigned")
    return save_and_redirect(context.store, request, apply, done_there, show_again)


def find(request: Request, fields: Form, context: Context) -> Response:
    """Open the page of the child with a local reference, a UPN or a name; several matches are listed.

    A form and not a link, so that no address holds what was typed.
    """
    typed, caller = fields.get("reference", ""), request.state.caller
    with context.store.view(caller) as view:
        pupil_ref = pupil_search.find_pupil(view, typed)
        matches, count = ([], 0) if pupil_ref else details.search(view, context.cipher, typed)
    if len(matches) == 1:
        pupil_ref = matches[0].pupil_ref
    if pupil_ref:
        return RedirectResponse(f"/pupils/{pupil_ref}", 303, HEADERS)
    if matches:
        return _show(context, request, matches=matches, matched=count, reference=typed)
    missing = "work_list.not_found_named" if context.may_name(caller) else "work_list.not_found"
    errors = [{"text": context.renderer.words(missing), "href": "#reference"}]
    return _show(context, request, 422, errors=errors, reference=typed)


def save_filter(request: Request, fields: Form, context: Context) -> Response:
    """Save what the list shows under a name of the caller's own."""
    query, words = ListQuery.of(request.query_params, context).parameters(page="1"), context.renderer.words

    def show_again(status: int, wrong: list[str]) -> Response:
        errors = [{"text": words(f"work_list.wrong_filter_{name}"), "href": "#filter-name"} for name in wrong]
        return _show(context, request, status, errors=errors, filter_name=fields.get("name", ""))

    def apply(change: Change) -> None:
        saved_filters.save_filter(change, fields.get("name", ""), query)

    return save_and_redirect(context.store, request, apply, _address(request, context, "filter"), show_again)


def remove_filter(filter_id: str, request: Request, fields: Form, context: Context) -> Response:
    """Remove one of the caller's filters."""

    def apply(change: Change) -> None:
        saved_filters.remove_filter(change, filter_id)

    def show_again(status: int, wrong: list[str]) -> Response:
        return _show(context, request, status)

    return save_and_redirect(context.store, request, apply, _address(request, context, "filter"), show_again)


def as_csv(request: Request, context: Context) -> Response:
    """Return the list as CSV."""
    content = list_export.as_csv(*_exported(context, request))
    return _file(content, "text/csv; charset=utf-8", "work-list.csv")


def as_xlsx(request: Request, context: Context) -> Response:
    """Return the list as an Excel workbook."""
    cells, reminder = _exported(context, request)
    content = list_export.as_xlsx(cells, context.renderer.words("work_list.title"), reminder)
    return _file(content, XLSX, "work-list.xlsx")


def _show(
    context: PageContext, request: Request, status: int = 200, matches: Sequence[details.Match] = (), **more: Any
) -> Response:
    caller, settings, today = request.state.caller, context.settings, london_today()
    query = ListQuery.of(request.query_params, context)
    with context.store.view(caller) as view:
        week, most = _week(context, view, query, "worklist.seen")
        schools, names = own_schools(view), week_list.school_names(view)
        lost = casework.count_lost(view, today)
        above = _above(context, view, week, most)
        beside = [*above["stopped"], *above["with_case"]]
        listed = [*(c.pupil_id for c in week.children), *(c["pupil_id"] for c in beside)]
        last = done.last_entries(view, listed)
        mine = cases.cases(view, owner=caller.key_id) if query.show == "mine" and not query.is_filtered else []
        filters = saved_filters.own_filters(view)
        named = [*listed, *(c["pupil_id"] for c in mine), *(m.pupil_id for m in matches)]
        who = context.details(view, named, "work_list")
        people = {p["person_id"]: p["name"] for p in staff.active_staff(view)} if caller.role in ASSIGNING else {}
    shown = {
        **above,
        "week": week,
        "most": most,
        "choices": query.choices(context, [(urn, names.get(urn, urn)) for urn in schools]),
        "today": today,
        "lost": lost,
        "line_of": partial(row_line, words=context.renderer.words),
        "list_query": query,
        "shows": SHOWS,
        "promise": promise_of(context, (week.as_of, week.model_version) if week.as_of else None, most),
        "mark_of": partial(_mark, context, last, today),
        "other_cases": [c for c in mine if c["pupil_id"] not in {*listed, *week.every}],
        "gone": query.gone(context, schools),
        "nobody": "no_schools" if caller.urns and not schools else "nobody",
        **_pages(week, query),
        "names": names,
        "details": who,
        "matches": [vars(match) for match in matches],
        "matched": len(matches),
        "finds_names": context.may_name(caller),
        "people": people,
        "settings": settings,
        "filters": filters,
        "filter_name": "",
        "reference": "",
        "wrong": {},
        "written": {},
        "ticked": set(),
        "given_to": "",
    }
    return context.renderer.page(request, "work_list", status, **{**shown, **more})


def _above(context: PageContext, view: View, week: week_list.WeekList, most: int) -> dict[str, Any]:
    """Return what stands above the list: registers that stopped, and how many of the week's first children are done."""
    newest, listed = newest_list(view), [c.pupil_id for c in week.children]
    # A withdrawn model names nobody; cases go on.
    stopped, followed = silence.followed(
        view, newest, 0 if context.withdrawn else most, listed, context.team(view.caller)
    )
    first = week_list.first_of_week(view, newest, most, london_today()) if newest and week.as_of else set()
    finished: set[str] = set()
    if week.as_of:
        finished = done.done_since(view, week.as_of, context.settings.no_conversation, {*first, *listed})
    return {
        "silent": 0 if context.withdrawn else silence.count(view, newest),
        "silent_schools": silence.schools(view),
        "stopped": stopped,
        "followed": followed,
        "with_case": family.unlisted_with_case(view, newest),
        "moved_on": across_schools(view)[0] if view.caller.role == "worker" else [],
        "finished": finished,
        "first": len(first),
        "notices": context.list_notices(view, week.model_version),
        "first_done": len(finished.intersection(first)),
    }


def _pages(week: week_list.WeekList, query: ListQuery) -> dict[str, Any]:
    """Return which children of a long view are shown, and the addresses of the pages before and after."""
    if query.show not in WHOLE:
        return {"first_shown": 0}
    page, first = week.page, week_list.PAGE * (week.page - 1) + 1
    last = first + len(week.children) - 1
    return {
        "first_shown": first,
        "last_shown": last,
        "page_before": query.address(page=str(page - 1)) if page > 1 else "",
        "page_after": query.address(page=str(page + 1)) if last < week.matched else "",
    }


def _week(
    context: PageContext, view: View, query: ListQuery, action: str, *, whole: bool = False
) -> tuple[week_list.WeekList, int]:
    most = week_list.per_week(view, context.team(view.caller), context.settings.per_week)
    if context.withdrawn:
        view.record(action, as_of=None)
        return week_list.WeekList(), most
    chosen = query.chosen(context)
    chosen, team = replace(chosen, page=None) if whole else chosen, context.team(view.caller)
    week = week_list.week(view, chosen, most, london_today(), action, team=team)
    week.children.sort(key=SORTS[query.sort])
    return week, most


def _address(request: Request, context: PageContext, what: str) -> str:
    """Return the address of the list that a form was sent from, which then says what was done."""
    return ListQuery.of(request.query_params, context).address(done=what)


def _mark(context: PageContext, last: dict[str, dict[str, Any]], today: date, pupil_id: str) -> str:
    """Say what was done last for a child, when and by whom; empty if nothing was."""
    entry = last.get(pupil_id)
    if entry is None:
        return ""
    words = context.renderer.words
    when = words.when(entry["on_day"], entry["at"], today)
    what = context.settings.text_of(entry["kind"], entry["code"])
    return words(f"work_list.did_{entry['kind']}", what=what, when=when, who=entry["by"])


def _exported(context: PageContext, request: Request) -> tuple[list[list[Any]], str]:
    """Return the list's cells, of every page, and what the file reminds of; the export is in the audit."""
    query = ListQuery.of(request.query_params, context)
    with context.store.view(request.state.caller) as view:
        week, _ = _week(context, view, query, "worklist.exported", whole=True)
        pupils = [c.pupil_id for c in week.children]
        last, notices = done.last_entries(view, pupils), context.list_notices(view, week.model_version)
        who = context.details(view, pupils, "work_list.export") if context.may_name(view.caller) else None
    marks = {pupil: _mark(context, last, london_today(), pupil) for pupil in last}
    reminder = " ".join([*notices, context.renderer.words("site.reminder")])
    return list_export.table(context, week.children, marks, who), reminder


def _file(content: bytes, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


PAGE = Page(
    name="work_list",
    route="/work-list",
    roles=IDENTITIES,
    sees="the week's list of the caller's scope",
    handler=work_list,
    menu=1,
    home_of=("worker", "lead", "administrator"),
    endpoints=(
        Endpoint(method="GET", route="/work-list.csv", handler=as_csv, sees="the same as a file", dear=True),
        Endpoint(method="GET", route="/work-list.xlsx", handler=as_xlsx, sees="the same as a file", dear=True),
        Endpoint(
            method="POST",
            route="/work-list/find",
            handler=find,
            sees="the page of a child of the caller's scope, by local reference; with the right to names also by name or UPN",
        ),
        Endpoint(
            method="POST",
            route="/work-list/assign",
            handler=assign,
            sees="cases of the caller's scope given to a person",
            roles=ASSIGNING,
        ),
        Endpoint(
            method="POST",
            route="/work-list/filters",
            handler=save_filter,
            sees="a filter of the list saved for the caller",
        ),
        Endpoint(
            method="POST",
            route="/work-list/filters/{filter_id}/remove",
            handler=remove_filter,
            sees="one of the caller's filters removed",
        ),
        Endpoint(
            method="POST",
            route="/work-list/{pupil_ref}/contact",
            handler=record_contact,
            sees="a contact recorded for a child of the caller's scope",
        ),
        Endpoint(
            method="POST",
            route="/work-list/{pupil_ref}/wake",
            handler=put_back,
            sees="a child of the caller's scope put back on the list",
        ),
    ),
)
