"""The week's list: whom to look at first, why, whose they are, and what is due."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from features.catalogue import catalogue
from histories.io.spreadsheet import as_text
from serving.pages.context import PageContext
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
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def routes(desk: PageContext) -> APIRouter:
    """Return the routes of the list and of its exports."""
    router = APIRouter(include_in_schema=False)

    @router.get("/work-list")
    def work_list(request: Request) -> Response:
        caller, asked = request.state.caller, request.query_params
        with desk.store.view(caller) as view:
            found, most = _week(desk, view, asked, "worklist.seen")
            schools = week_list.own_schools(view)
            names, lost = week_list.school_names(view), casework.count_lost(view, date.today())
        choices = _choices(desk, asked, [(u, names.get(u, u)) for u in schools])
        return desk.pages.page(
            request,
            "work_list",
            week=found,
            most=most,
            choices=choices,
            today=date.today(),
            lost=lost,
            query=request.url.query,
        )

    @router.get("/work-list.csv")
    def as_csv(request: Request) -> Response:
        out = io.StringIO()
        csv.writer(out).writerows(_exported(desk, request))
        return _file(out.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", "work-list.csv")

    @router.get("/work-list.xlsx")
    def as_xlsx(request: Request) -> Response:
        import openpyxl

        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("work-list")
        for row in _exported(desk, request):
            sheet.append(row)
        out = io.BytesIO()
        book.save(out)
        return _file(out.getvalue(), XLSX, "work-list.xlsx")

    return router


def _week(desk: PageContext, view: View, asked: Any, action: str) -> tuple[week_list.WeekList, int]:
    most = week_list.per_week(view, desk.team(view.caller), desk.settings.per_week)
    found = week_list.week(view, _chosen(desk, asked), most, date.today(), action)
    found.children.sort(key=SORTS.get(asked.get("sort", "rank"), SORTS["rank"]))
    return found, most


def _chosen(desk: PageContext, asked: Any) -> week_list.Chosen:
    """Return what the address asks for; what it does not know is left out."""
    urns = [asked["school"]] if asked.get("school") else None
    if asked.get("locality") in desk.configuration.localities:
        here = desk.configuration.localities[asked["locality"]]
        urns = [u for u in (urns or here) if u in here]
    year = asked.get("year", "")
    theme = asked.get("theme")
    return week_list.Chosen(
        urns, int(year) if year.isdecimal() and len(year) < 3 else None, theme if theme in _themes_shown() else None
    )


def _choices(desk: PageContext, asked: Any, schools: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return what the list can be cut and sorted by, each with its values and the one that is chosen."""
    w = desk.pages.words
    cohorts = [(str(y), w(f"work_list.cohort_{y}")) for y in COHORTS]
    years = [(str(y), w.year_group(y)) for y in range(12) if y not in COHORTS]
    offered = {
        "school": schools,
        "locality": [(name, name) for name in desk.localities([u for u, _ in schools])],
        "year": [*cohorts, *years],
        "theme": [(theme, theme) for theme in _themes_shown()],
    }
    whole = [
        {"name": name, "items": [("", w(f"work_list.all_{name}")), *items], "chosen": asked.get(name, "")}
        for name, items in offered.items()
        if items
    ]
    sorts = [(name, w(f"work_list.by_{name}")) for name in SORTS]
    return [*whole, {"name": "sort", "items": sorts, "chosen": asked.get("sort", "rank")}]


def _exported(desk: PageContext, request: Request) -> list[list[Any]]:
    """Return the list as cells that a spreadsheet takes for text; the audit says that it was exported."""
    w = desk.pages.words
    with desk.store.view(request.state.caller) as view:
        found, _ = _week(desk, view, request.query_params, "worklist.exported")
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
    rows: list[list[Any]] = [[w(f"export.{name}") for name in head]]
    for c in found.children:
        s = c.score
        reasons = "; ".join(r["sentence"] for r in s["reasons"][:3])
        moved = w(f"work_list.{c.moved}") if c.moved else ""
        clock = w(f"clock.{c.clock['kind']}") if c.clock else ""
        rows.append(
            [
                s["rank"],
                s["pupil_id"],
                c.school,
                s["urn"],
                w.year_group(s["nc_year"]),
                s["band"],
                w.about(s["one_in"]),
                moved,
                reasons,
                c.owner,
                clock,
                c.clock["due_on"].isoformat() if c.clock else "",
                s["as_of"],
            ]
        )
    rows.append([w("site.reminder")])
    return [[as_text(cell) for cell in row] for row in rows]


def _file(content: bytes, kind: str, name: str) -> Response:
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _themes_shown() -> list[str]:
    """Return the titles of the themes that can give a reason."""
    shown = {f.theme for f in catalogue().features if f.role == "reason"}
    return [title for name, title in catalogue().themes.items() if name in shown]
