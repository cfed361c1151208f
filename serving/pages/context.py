"""What every page needs: the store, settings, renderer, models, and each team's schools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from serving.access.authenticators import Authenticator
from serving.access.configuration import Configuration
from serving.access.current import CurrentAccess
from serving.pages.page import Page
from serving.pages.rendering import Renderer
from serving.pages.settings import PageSettings
from serving.scoring.live_model import LiveModel
from serving.store import Caller, Store


@dataclass(frozen=True, kw_only=True)
class PageContext:
    """The context that pages are rendered from.

    Attributes
    ----------
    store : Store
    access : CurrentAccess
        Localities and their schools, and who may sign in.
    settings : PageSettings
    renderer : Renderer
    pages : tuple of Page
        Every page of the application.
    authenticators : list of Authenticator
        The ways to sign in that give a session.
    champion, challenger : LiveModel
    """

    store: Store
    access: CurrentAccess
    settings: PageSettings
    renderer: Renderer
    pages: tuple[Page, ...]
    authenticators: list[Authenticator]
    champion: LiveModel
    challenger: LiveModel

    @property
    def configuration(self) -> Configuration:
        """The access file as it is now."""
        return self.access.configuration

    @property
    def withdrawn(self) -> bool:
        """Whether the model was withdrawn or contradicts its log: pages then show no score, and go on with deadlines and cases."""
        self.champion.model()
        return self.champion.hides_scores

    def team(self, caller: Caller) -> str:
        """Return a caller's team: the locality with the caller's schools, or "" for the whole authority."""
        urns = set(caller.urns)
        teams = (name for name, schools in self.configuration.localities.items() if urns and urns == set(schools))
        return next(teams, "")

    def localities(self, urns: Sequence[str]) -> list[str]:
        """Return the localities with at least one of some schools."""
        return [name for name, schools in self.configuration.localities.items() if set(schools) & set(urns)]

    def home(self, role: str) -> str:
        """Return the route of a role's home page."""
        return next(page.route for page in self.pages if role in page.home_of)


async def _context(request: Request) -> PageContext:
    context: PageContext = request.app.state.page_context
    return context


Context = Annotated[PageContext, Depends(_context)]
