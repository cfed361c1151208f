"""Adds the pages to the application."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from serving.access.authenticators import Authenticator
from serving.access.current import CurrentAccess
from serving.access.provider import Provider
from serving.pages import assets
from serving.pages.context import PageContext
from serving.pages.page import check
from serving.pages.refused import RefusalPages
from serving.pages.rendering import Renderer
from serving.pages.settings import PageSettings
from serving.pages.views import PAGES
from serving.scoring.live_model import LiveModel
from serving.store import Store
from serving.store.people.cipher import Cipher


def mount(
    app: FastAPI,
    store: Store,
    access: CurrentAccess,
    authenticators: list[Authenticator],
    settings: PageSettings,
    *,
    champion: LiveModel,
    challenger: LiveModel,
    cipher: Cipher | None = None,
    provider: Provider | None = None,
) -> None:
    """Add every page to an application, and answer refused page requests with a page.

    Parameters
    ----------
    app : FastAPI
    store : Store
    access : CurrentAccess
        Who may sign in.
    authenticators : list of Authenticator
        The ways to sign in that give a session.
    settings : PageSettings
    champion, challenger : LiveModel
    cipher : Cipher or None
        Decrypts the people file.
    provider : Provider or None
        Where people sign in to the pages.

    Raises
    ------
    WronglyDeclared
        When a page lacks its template, its words or its roles, or collides with another.
    """
    renderer = Renderer(settings, PAGES, champion)
    check(PAGES, list(renderer.words.messages))
    context = PageContext(
        store=store,
        access=access,
        settings=settings,
        renderer=renderer,
        pages=PAGES,
        authenticators=authenticators,
        champion=champion,
        challenger=challenger,
        cipher=cipher,
        provider=provider,
    )
    app.state.page_context = context
    app.state.people = RefusalPages(renderer, context.local_page) if provider else RefusalPages(renderer)
    router = APIRouter(include_in_schema=False)
    for endpoint in (endpoint for page in PAGES for endpoint in page.all_endpoints()):
        router.add_api_route(endpoint.route, endpoint.handler, methods=[endpoint.method], response_model=None)
    # Not `include_router`: it hides the routes from the test that compares them with the permission table.
    app.router.routes.extend([*router.routes, *assets.routes().routes])
