"""The page on which people see where they are signed in, and end sessions of theirs."""

from __future__ import annotations

from datetime import timedelta

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from serving.access.sessions import cookie
from serving.pages.context import Context
from serving.pages.forms import Form
from serving.pages.page import Endpoint, Page
from serving.pages.rendering import HEADERS
from serving.roles import ROLES
from serving.store.sign_in.sessions import end_own_sessions, own_sessions


def sessions(request: Request, context: Context) -> Response:
    """Show the page."""
    idle = timedelta(minutes=context.settings.idle_minutes)
    with context.store.view(request.state.caller) as view:
        listed = own_sessions(view, cookie(request) or "", idle)
    return context.renderer.page(request, "sessions", sessions=listed, minutes=context.settings.idle_minutes)


def end(request: Request, fields: Form, context: Context) -> Response:
    """End the session that the form names, or every other one."""
    with context.store.change(request.state.caller) as change:
        end_own_sessions(change, cookie(request) or "", fields.get("session") or None)
    return RedirectResponse("/sessions", 303, HEADERS)


PAGE = Page(
    name="sessions",
    route="/sessions",
    roles=ROLES,
    sees="the caller's own sessions: how and when each was opened, and when it was last used",
    handler=sessions,
    endpoints=(
        Endpoint(method="POST", route="/sessions/end", handler=end, sees="the end of the caller's own sessions"),
    ),
)
