"""Turns a template and its values into a page: escaped, with no script, and with headers that let nothing else in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from serving.access.permissions import RULES
from serving.access.sessions import cookie, token
from serving.pages.assets import assets
from serving.pages.settings import PageSettings
from serving.pages.wording import Wording

# Nothing but this service's own style sheets; forms go nowhere else. `same-origin` lets a form say where it comes from.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
COMPONENTS = (
    "button",
    "details",
    "error-summary",
    "inset-text",
    "input",
    "notification-banner",
    "pagination",
    "radios",
    "select",
    "skip-link",
    "summary-list",
    "tag",
    "textarea",
    "warning-text",
    "date-input",
    "back-link",
)


@dataclass(frozen=True)
class MenuLink:
    """A page of the menu."""

    address: str
    word: str


MENU = tuple(
    MenuLink(f"/{name.replace('_', '-')}", f"{name}.menu")
    for name in ("work_list", "clocks", "transition", "team", "model")
)


class Renderer:
    """Renders the pages of one application.

    Parameters
    ----------
    settings : PageSettings
    """

    def __init__(self, settings: PageSettings) -> None:
        self.settings, self.words = settings, Wording.load(settings.language)

    @cached_property
    def _templates(self) -> jinja2.Environment:
        made = jinja2.Environment(
            loader=jinja2.PackageLoader("serving.pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        # The components leave values out on purpose, so they live in an environment of their own that allows it.
        theirs = jinja2.Environment(
            loader=jinja2.PrefixLoader({"govuk_frontend_jinja": jinja2.PackageLoader("govuk_frontend_jinja")}),
            autoescape=True,
        )
        for name in COMPONENTS:
            macro = f"govuk{name.title().replace('-', '')}"
            made.globals[macro] = getattr(
                theirs.get_template(f"govuk_frontend_jinja/components/{name}/macro.html").module, macro
            )
        made.filters["one_in"] = lambda risk: max(1, round(1 / max(risk, 1e-9)))
        w = self.words
        made.globals |= {
            "t": w,
            "day": w.day,
            "moment": w.moment,
            "year_group": w.year_group,
            "one_in": w.one_in,
            "about": w.about,
        }
        made.globals["assets"] = assets()
        return made

    def page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page for whoever asks.

        Parameters
        ----------
        request : Request
        template : str
            Name in ``templates``, without its ending.
        values
            What the template shows.
        """
        caller = getattr(request.state, "caller", None)
        secret = cookie(request)
        own = {
            "caller": caller,
            "who": getattr(request.state, "name", ""),
            "menu": [link for link in MENU if caller and _may(caller.role, link.address)],
            "here": request.url.path,
            "csrf": token(secret) if secret else "",
        }
        return self.plain(template, status, **(own | values))

    def plain(self, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page for nobody in particular."""
        nobody: dict[str, Any] = {
            "caller": None,
            "who": "",
            "menu": [],
            "here": "",
            "csrf": "",
            "errors": [],
            "banner": None,
        }
        text = self._templates.get_template(f"{template}.html").render(nobody | values)
        return HTMLResponse(text, status, headers=HEADERS)


def _may(role: str, address: str) -> bool:
    return any(r.route == address and r.method == "GET" and role in r.roles for r in RULES)
