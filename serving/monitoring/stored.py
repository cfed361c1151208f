"""What the newest look told, as the page shows it: an entry of the audit for each authority, so that nobody can change a figure unseen."""

from __future__ import annotations

from typing import Any

from serving.monitoring.monitor import MonitorReport
from serving.monitoring.shareable import authorities, shareable
from serving.store.audit import audit_log
from serving.store.trials.trials import plans
from serving.store.unit_of_work import View

ACTION = "monitor.reported"


def keep(view: View, report: MonitorReport) -> None:
    """Record what may be shown of a report, for each authority with lists, and for all together if there are several.

    Only a look by default day and limits is for everybody; the calling code leaves out looks with other terms.
    """
    if not report.default_look:
        return
    planned = plans(view)
    for authority in authorities(report):
        view.record(ACTION, report=shareable(report, authority, planned))


def newest(view: View) -> tuple[str, dict[str, Any]] | None:
    """Return when the newest look was recorded and what the caller may see of it; None if there is none.

    An administrator of all authorities is shown the report of all, or that of the only one; who sees some schools only is shown none, since every
    figure is of more schools. The calling code records the view.
    """
    caller = view.caller
    sees_all = caller.role == "administrator" and caller.authority is None
    if caller.urns or (caller.authority is None and not sees_all):
        return None

    def matches(details: dict[str, Any]) -> bool:
        return sees_all or bool(details["report"]["authority"] == caller.authority)

    found = audit_log.newest_details(view.connection, view.chain, ACTION, matches)
    return (found[0], _of_today(found[1]["report"])) if found else None


def _of_today(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report as today's pages read it; the first ones knew the checklist only, then none said by how much, and why others are left out."""
    checklist = report.get("simple_way")
    ways = report.get("simple_ways", [{"way": "checklist", **checklist}] if checklist else [])
    today = [{"other": "", "lead": None, "terms": [], **way} for way in ways]
    return {**report, "simple_ways": today, "simple_ways_left_out": report.get("simple_ways_left_out", {})}
