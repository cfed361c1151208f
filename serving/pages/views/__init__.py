"""The pages, one module each; modules here are discovered automatically and declare ``PAGE``.

To add one: a module with ``PAGE``, ``templates/NAME.html``, and the part ``[NAME]`` in each file of ``wording/``.
"""

from importlib import import_module
from pkgutil import iter_modules

from serving.pages.page import Page, WronglyDeclared


def _declared(name: str) -> Page:
    page = getattr(import_module(f"{__name__}.{name}"), "PAGE", None)
    if not isinstance(page, Page):
        raise WronglyDeclared(f"serving/pages/views/{name}.py declares no PAGE")
    return page


PAGES: tuple[Page, ...] = tuple(_declared(name) for name in sorted(m.name for m in iter_modules(__path__)))

__all__ = ["PAGES"]
