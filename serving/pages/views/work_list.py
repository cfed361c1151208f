"""The week's list: children by rank, with the reasons, the owner of the case and the next deadline."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from fastapi import Request
from starlette.responses import Response

from features.catalogue import catalogue
from histories.io.spreadsheet import as_text
from serving.pages.context import Context, PageContext
from serving.pages.page import Endpoint, Page
from serving.pages.records_line import records_line
from serving.roles import IDENTITIES
from serving.store.cases import casework
from serving.store.scores import week_list
from serving.store.unit_of_work import View

SORTS: dict[str, Callable[[week_list.Listed], Any]] = {
    "rank": lambda c: c.score["rank"],
    "school": lambda c: (c.school, c.score["rank"]),
    "year": lambda c: (c.score["nc_year"], c.score["rank"]),
    "clock": lambda c: (c.clock["due_on"] if c.clock else date.max, c.score["rank"]),
    "owner": lambda c: (c.owner or "", c.score["rank"]),
}
COHORTS = (6, 7)  # before and after the move to secondary school
ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # characters that XML, and so a workbook, cannot hold
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def work_list(request: Request, context: Context) -> Response:
    """Show the page."""
    caller, query = request.state.caller, request.query_params
    with context.store.view(caller) as view:
        week, most = _week(context, view, query, "worklist.seen")
        schools = week_list.own_schools(view)
        names, lost = week_list.school_names(view), casework.count_lost(view, date.today())
    choices = _choices(context, query, [(urn, names.get(urn, urn)) for urn in schools])
    return context.renderer.page(
        request,
        "work_list",
        week=week,
        most=most,
        choices=choices,
        today=date.today(),
        lost=lost,
        line_of=partial(_line, context),
        silent_schools=sorted(
            {(c.school, c.silent["since"]) for c in week.children if c.silent and c.silent["school"]}
        ),
        query=request.url.query,
    )


def as_csv(request: Request, context: Context) -> Response:
    """Return the list as CSV."""
    out = io.StringIO()
    csv.writer(out).writerows(_exported(context, request))
    return _file(out.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", "work-list.csv")


def as_xlsx(request: Request, context: Context) -> Response:
    """Return the list as an Excel workbook."""
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("work-list")
    for row in _exported(context, request):
        sheet.append([ILLEGAL.sub("", cell) if isinstance(cell, str) else cell for cell in row])
    out = io.BytesIO()
    book.save(out)
    return _file(out.getvalue(), XLSX, "work-list.xlsx")


def _week(context: PageContext, view: View, query: Any, action: str) -> tuple[week_list.WeekList, int]:
    most = week_list.per_week(view, context.team(view.caller), context.settings.per_week)
    if context.withdrawn:
        view.record(action, as_of=None)
        return week_list.WeekList(), most
    week = week_list.week(view, _chosen(context, query), most, date.today(), action)
    week.children.sort(key=SORTS.get(query.get("sort", "rank"), SORTS["rank"]))
    return week, most


def _chosen(context: PageContext, query: Any) -> week_list.Chosen:
    """Return the filters in the URL; unknown values are ignored."""
    urns = [query["school"]] if query.get("school") else None
    if query.get("locality") in context.configuration.localities:
        schools = context.configuration.localities[query["locality"]]
        urns = [urn for urn in (urns or schools) if urn in schools]
    year = query.get("year", "")
    theme = query.get("theme")
    return week_list.Chosen(
        urns, int(year) if year.isdecimal() and len(year) < 3 else None, theme if theme in _themes_shown() else None
    )


def _line(context: PageContext, child: week_list.Listed) -> str:
    """Return a child's records in a few sentences, as on the child's page; empty if the list has none stored."""
    words = context.renderer.words
    year_group = words.year_group(child.score["nc_year"])
    as_of = date.fromisoformat(child.score["as_of"])
    return records_line(child.history, as_of, year_group, words) if child.history else ""


def _choices(context: PageContext, query: Any, schools: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the filters and sort orders, each with its options and the chosen one."""
    words = context.renderer.words
    cohorts = [(str(y), words(f"work_list.cohort_{y}")) for y in COHORTS]
    years = [(str(y), words.year_group(y)) for y in range(12) if y not in COHORTS]
    offered = {
        "school": schools,
        "locality": [(name, name) for name in context.localities([u for u, _ in schools])],
        "year": [*cohorts, *years],
        "theme": [(theme, theme) for theme in _themes_shown()],
    }
    filters = [
        {"name": name, "items": [("", words(f"work_list.all_{name}")), *items], "chosen": query.get(name, "")}
        for name, items in offered.items()
        if items
    ]
    sorts = [(name, words(f"work_list.by_{name}")) for name in SORTS]
    return [*filters, {"name": "sort", "items": sorts, "chosen": query.get("sort", "rank")}]


def _exported(context: PageContext, request: Request) -> list[list[Any]]:
    """Return the list as cells that a spreadsheet reads as text; the export is in the audit."""
    words = context.renderer.words
    with context.store.view(request.state.caller) as view:
        week, _ = _week(context, view, request.query_params, "worklist.exported")
    head = (
        "rank",
        "reference",
        "school",
        "urn",
        "year",
        "band",
        "one_in",
        "moved",
        "reasons",
        "owner",
        "clock",
        "due",
        "as_of",
    )
    rows: list[list[Any]] = [[words(f"export.{name}") for name in head]]
    for c in week.children:
        s = c.score
        reasons = "; ".join(r["sentence"] for r in s["reasons"][:3])
        moved = words(f"work_list.{c.moved}") if c.moved else ""
        clock = words(f"clock.{c.clock['kind']}") if c.clock else ""
        rows.append(
            [
                s["rank"],
                s["pupil_id"],
                c.school,
                s["urn"],
                words.year_group(s["nc_year"]),
                s["band"],
                words.about(s["risk"]),
                moved,
                reasons,
                c.owner,
                clock,
                c.clock["due_on"].isoformat() if c.clock else "",
                s["as_of"],
            ]
        )
    rows.append([words("site.reminder")])
    return [[as_text(cell) for cell in row] for row in rows]


def _file(content: bytes, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _themes_shown() -> list[str]:
    """Return the titles of the themes that can give a reason."""
    shown = {f.theme for f in catalogue().features if f.role == "reason"}
    return [title for name, title in catalogue().themes.items() if name in shown]


PAGE = Page(
    name="work_list",
    route="/work-list",
    roles=IDENTITIES,
    sees="the week's list of the caller's scope",
    handler=work_list,
    menu=1,
    home_of=("worker", "lead", "administrator"),
    endpoints=(
        Endpoint(method="GET", route="/work-list.csv", handler=as_csv, sees="the same as a file"),
        Endpoint(method="GET", route="/work-list.xlsx", handler=as_xlsx, sees="the same as a file"),
    ),
)
