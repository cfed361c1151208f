"""What every page of a worker's desk needs: the store, the settings, and whose schools make which team."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from serving.access.configuration import Configuration
from serving.pages.rendering import Renderer
from serving.pages.settings import PageSettings
from serving.scoring.live_model import LiveModel
from serving.store import Caller, Store


@dataclass(frozen=True, kw_only=True)
class PageContext:
    """What pages are made from.

    Attributes
    ----------
    store : Store
    configuration : Configuration
        Localities and their schools.
    settings : PageSettings
    pages : Renderer
    holder : LiveModel
        The model that serves; pages that show a child show what was stored.
    """

    store: Store
    configuration: Configuration
    settings: PageSettings
    pages: Renderer
    holder: LiveModel

    def team(self, caller: Caller) -> str:
        """Return the team of a caller: the locality whose schools they look after, or the whole authority's, which has no name."""
        own = set(caller.urns)
        return next((name for name, urns in self.configuration.localities.items() if own and own == set(urns)), "")

    def localities(self, urns: Sequence[str]) -> list[str]:
        """Return the localities that hold one of some schools."""
        return [name for name, own in self.configuration.localities.items() if set(own) & set(urns)]
