"""Renders a template into a page: escaped, without scripts, and with headers that allow no other source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property, partial
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from histories.io.html import seen
from serving.access.sessions import cookie, token
from serving.pages.assets import assets
from serving.pages.at_school import at_school
from serving.pages.page import Page
from serving.pages.record_text import readable
from serving.pages.records_line import short_silence, silence_line
from serving.pages.settings import PageSettings
from serving.pages.wording import Wording
from serving.scoring.live_model import LiveModel
from training.bands import share_text
from training.explanation.chance import last_day

# Only this service's own style sheets and forms. With `same-origin` a form sends its Origin, which `forms` checks.
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


def _until(score: dict[str, Any]) -> date:
    """Return the last day of the time that a stored score is about."""
    return last_day(date.fromisoformat(score["as_of"]), score["horizon_days"])


class Renderer:
    """Renders the pages of one application.

    Parameters
    ----------
    settings : PageSettings
    pages : sequence of Page
        Those with a place in the menu make the menu.
    champion : LiveModel
        Every page says so while it is withdrawn.
    """

    def __init__(self, settings: PageSettings, pages: Sequence[Page], champion: LiveModel) -> None:
        self.champion = champion
        self.settings, self.words = settings, Wording.load(settings.language)
        self.menu = sorted((page for page in pages if page.menu), key=lambda page: page.menu or 0)

    @cached_property
    def _templates(self) -> jinja2.Environment:
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("serving.pages"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=seen,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        # The GOV.UK components rely on undefined values, so they need a second environment without StrictUndefined.
        govuk = jinja2.Environment(
            loader=jinja2.PrefixLoader({"govuk_frontend_jinja": jinja2.PackageLoader("govuk_frontend_jinja")}),
            autoescape=True,
        )
        for name in COMPONENTS:
            macro = f"govuk{name.title().replace('-', '')}"
            environment.globals[macro] = getattr(
                govuk.get_template(f"govuk_frontend_jinja/components/{name}/macro.html").module, macro
            )
        w = self.words
        environment.globals |= {
            "t": w,
            "day": w.day,
            "ago": w.ago,
            "moment": w.moment,
            "year_group": w.year_group,
            "year_group_of": w.year_group_of,
            "at_school": partial(at_school, words=w),
            "chance": w.chance,
            "sureness": w.sureness,
            "until": _until,
            "meaning": w.meaning,
            "share_text": share_text,
            "readable": partial(readable, words=w),
            "definition": self._definition,
            "what_was_done": w.what_was_done,
            "silence_line": partial(silence_line, words=w),
            "short_silence": partial(short_silence, words=w),
        }
        environment.globals["assets"] = assets()
        environment.filters["as_day"] = w.day
        return environment

    def _definition(self) -> str:
        """Return the definition of missing of the model that serves; "" without one."""
        model = self.champion.model()
        return model.manifest.definition if model else ""

    def page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page for a caller who may be signed in.

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
        session = {
            "caller": caller,
            "who": getattr(request.state, "name", ""),
            "menu": [page for page in self.menu if caller and caller.role in page.roles],
            "here": request.url.path,
            "csrf": token(secret) if secret else "",
            "withdrawn": caller is not None and self.champion.hides_scores,
        }
        return self.plain(template, status, **(session | values))

    def plain(self, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page without a caller or a menu."""
        defaults: dict[str, Any] = {
            "caller": None,
            "who": "",
            "menu": [],
            "here": "",
            "csrf": "",
            "errors": [],
            "banner": None,
            "details": {},
            "withdrawn": False,
        }
        text = self._templates.get_template(f"{template}.html").render(defaults | values)
        return HTMLResponse(text, status, headers=HEADERS)
