"""The administrator's page of the audit: who saw or changed what last, without saying about which children."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from serving.pages.context import Context
from serving.pages.page import Page
from serving.roles import ROLES
from serving.store.audit import audit_log
from serving.store.sign_in import staff

MAX_SHOWN = 100  # newest entries


def audit(request: Request, context: Context) -> Response:
    """Show the page: the newest entries of the caller's authority, or of all."""
    caller = request.state.caller
    with context.store.view(caller) as view:
        newest = list(audit_log.entries(view, last=MAX_SHOWN, authority=caller.authority))[::-1]
        names = staff.names_of(view, (entry["who"] for entry in newest))
        view.record("audit.seen", entries=len(newest))
    return context.renderer.page(request, "audit", entries=newest, people=names, roles=ROLES)


PAGE = Page(
    name="audit",
    route="/audit",
    roles=("administrator",),
    sees="the newest entries of the audit of the caller's authority: who, when, what and of how many children",
    handler=audit,
    menu=9,
)
