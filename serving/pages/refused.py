"""Pages for refused requests, in place of the interface's problem documents."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from serving.access.permissions import RULES, find
from serving.access.sessions import cookie
from serving.http.problems import REQUEST_ID
from serving.pages.local_page import local_page
from serving.pages.rendering import HEADERS, Renderer


class RefusalPages:
    """Answers refused requests of people with a page.

    Parameters
    ----------
    renderer : Renderer
    remember : bool
        Whether a sign-in leads back to the page that was asked for.
    """

    def __init__(self, renderer: Renderer, *, remember: bool = False) -> None:
        self.renderer, self.remember = renderer, remember

    def for_people(self, scope: Any) -> bool:
        """Return whether to answer with a page: the route is a page, or a browser requests a route that does not exist."""
        rule, methods = find(scope["method"], scope["path"])
        if rule is not None or methods:
            return rule is not None and rule.page
        accepted = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        return b"text/html" in accepted

    def answer(self, scope: Any, status: int, headers: dict[str, str]) -> Response:
        """Return the page of a refusal; a GET without a session redirects to sign-in, which tells a browser that had one that it ended."""
        if status == 401 and scope["method"] == "GET":
            to = local_page(scope["path"], RULES) if self.remember else "/"
            said = ["ended"] * bool(cookie(Request(scope))) + [f"next={to}"] * (to != "/")
            return RedirectResponse("/sign-in" + "?" * bool(said) + "&".join(said), 303, HEADERS)
        kind = status if f"refused.title_{status}" in self.renderer.words.messages else 500
        page = self.renderer.plain("refused", status, kind=kind, request_id=REQUEST_ID.get())
        page.headers.update(headers)
        return page
