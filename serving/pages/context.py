"""What every page needs: the store, settings, renderer, models, and each team's schools."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request

from serving.access.authenticators import Authenticator
from serving.access.configuration import Configuration
from serving.access.current import CurrentAccess
from serving.access.permission import Permission
from serving.access.provider import Provider
from serving.pages.local_page import local_page
from serving.pages.page import Page
from serving.pages.rendering import Renderer
from serving.pages.settings import PageSettings
from serving.scoring.live_model import LiveModel
from serving.store import Caller, Store
from serving.store.people import details
from serving.store.people.cipher import Cipher
from serving.store.people.details import PersonalDetails
from serving.store.scores.stored_scores import taken_back_since
from serving.store.unit_of_work import View


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
    cipher : Cipher or None
        Decrypts the people file; without it pages show references only.
    provider : Provider or None
        Where people sign in, if the access file names it.
    """

    store: Store
    access: CurrentAccess
    settings: PageSettings
    renderer: Renderer
    pages: tuple[Page, ...]
    authenticators: list[Authenticator]
    champion: LiveModel
    challenger: LiveModel
    cipher: Cipher | None = None
    provider: Provider | None = None

    @property
    def configuration(self) -> Configuration:
        """The access file as it is now."""
        return self.access.configuration

    @property
    def withdrawn(self) -> bool:
        """Whether the model was withdrawn or contradicts its log: pages then show no score, and go on with deadlines and cases."""
        self.champion.model()
        return self.champion.hides_scores

    def serves_no_longer(self, version: str) -> bool:
        """Return whether another version than a list's serves: the list stands until the next one, and says so."""
        model = self.champion.model()
        return bool(version) and model is not None and model.manifest.version != version

    def list_notices(self, view: View, version: str) -> list[str]:
        """Return what must be known about the shown list: that a newer one was taken back, or that its version serves no longer."""
        words, day = self.renderer.words, None if self.withdrawn else taken_back_since(view)
        taken_back = [words("work_list.taken_back", day=words.day(day))] if day else []
        return [*taken_back, *([words("work_list.serves_no_longer")] if self.serves_no_longer(version) else [])]

    @cached_property
    def _permissions(self) -> tuple[Permission, ...]:
        return tuple(permission for page in self.pages for permission in page.permissions())

    def local_page(self, path: str | None) -> str:
        """Return where a sign-in leads: a page of this service; see ``serving.pages.local_page``."""
        return local_page(path, self._permissions)

    def may_name(self, caller: Caller) -> bool:
        """Return whether pages show a caller who the children are."""
        return self.cipher is not None and caller.sees_names

    def details(self, view: View, pupils: Iterable[str], where: str) -> dict[str, PersonalDetails]:
        """Return who some pupils are, for a caller who may see it; see ``serving.store.people.details.shown``."""
        return details.shown(view, self.cipher, pupils, where)

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
