"""What lists promised and what came: the newest report of ``onroll monitor``, with small numbers hidden."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from fastapi import Request
from starlette.responses import Response

from histories.calendar import london_day, london_today
from serving.monitoring.stored import newest
from serving.pages.context import Context
from serving.pages.model_figures import two_digits
from serving.pages.monitor_figures import funnel, run_chart
from serving.pages.page import Page
from serving.store.scores import week_list
from serving.store.sign_in import staff

OLD = 7  # days after which the page says how old its look is; a timer looks each morning


def monitor(request: Request, context: Context) -> Response:
    """Show the page."""
    with context.store.view(request.state.caller) as view:
        found = newest(view)
        names = week_list.school_names(view)
        seen = [a["acknowledged"]["by"] for a in found[1]["alarms"] if a["acknowledged"]] if found else []
        people = staff.names_of(view, seen)
        view.record("monitor.page_seen", day=found[1]["day"] if found else None)
    if found is None:
        return context.renderer.page(request, "monitor", report=None)
    at, report = found
    version = report["versions"][-1] if report["versions"] else None
    return context.renderer.page(
        request,
        "monitor",
        report=report,
        at=at,
        old=days if (days := (london_today() - london_day(datetime.fromisoformat(at))).days) > OLD else 0,
        as_of=date.fromisoformat(report["day"]),
        next_known=min((date.fromisoformat(day) for day in report["waiting"]), default=None),
        run=run_chart(report["lists"]),
        terms=run_chart(report["terms"]),
        version=version,
        funnels=_funnels(version, names) if version else {},
        people=people,
        names=names,
        two_digits=two_digits,
        date_of=date.fromisoformat,
    )


def _funnels(version: dict[str, Any], names: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the rows and the picture of each kind of place that there is something of."""
    kinds = {
        "schools": [{**row, "name": names.get(row["name"], row["name"])} for row in version["schools"]],
        "authorities": version["authorities"] if len(version["authorities"]) > 1 else [],
    }
    return {kind: {"rows": rows, "picture": funnel(rows)} for kind, rows in kinds.items() if rows}


PAGE = Page(
    name="monitor",
    route="/monitor",
    roles=("lead", "analyst", "administrator"),
    sees="what lists of the caller's authority promised and what came, alarms and trials, without children and with small numbers hidden",
    handler=monitor,
    menu=7,
)
