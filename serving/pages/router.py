"""Puts the pages into the application."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from serving.access.authenticators import Authenticator
from serving.access.configuration import Configuration
from serving.pages import assets, case, deadlines, model, pupil, sign_in, team, transition, work_list
from serving.pages.context import PageContext
from serving.pages.refused import RefusalPages
from serving.pages.rendering import Renderer
from serving.pages.settings import PageSettings
from serving.scoring.live_model import LiveModel
from serving.store import Store


def mount(
    app: FastAPI,
    store: Store,
    configuration: Configuration,
    ways: list[Authenticator],
    settings: PageSettings,
    *,
    champion: LiveModel,
    challenger: LiveModel,
) -> None:
    """Add every page to an application, and let refusals be said to people.

    Parameters
    ----------
    app : FastAPI
    store : Store
    configuration : Configuration
        Who may sign in.
    ways : list of Authenticator
        The ways in that give a session.
    settings : PageSettings
    champion, challenger : ModelHolder
    """
    pages = Renderer(settings)
    desk = PageContext(store=store, configuration=configuration, settings=settings, pages=pages, holder=champion)
    app.state.people = RefusalPages(pages)
    parts = [
        sign_in.routes(store, ways, list(configuration.development), configuration.keys, pages),
        _plain(pages),
        assets.routes(),
        work_list.routes(desk),
        pupil.routes(desk),
        case.routes(desk),
        deadlines.routes(desk),
        transition.routes(desk),
        team.routes(desk),
        model.routes(desk, challenger),
    ]
    for part in parts:
        # Not `include_router`, which hides the routes from whoever walks them to compare them with the rules.
        app.router.routes.extend(part.routes)


def _plain(pages: Renderer) -> APIRouter:
    """Return the pages that show nothing of a child."""
    router = APIRouter(include_in_schema=False)

    def said(template: str) -> Callable[[Request], Response]:
        def show(request: Request) -> Response:
            return pages.page(request, template)

        return show

    for name in ("about", "accessibility"):
        router.add_api_route(f"/{name}", said(name), methods=["GET"])

    return router
