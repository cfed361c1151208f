"""What a list shows, as its address says it: the view, the filters and the order. An address never holds a pupil's value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from features.catalogue import catalogue
from serving.pages.context import PageContext
from serving.store.scores import chosen, week_list

ROUTE = "/work-list"
SORTS: dict[str, Callable[[week_list.Listed], Any]] = {
    "rank": lambda c: c.score["rank"],
    "school": lambda c: (c.school, c.score["rank"]),
    "year": lambda c: (c.score["nc_year"], c.score["rank"]),
    "clock": lambda c: (c.clock["due_on"] if c.clock else date.max, c.score["rank"]),
    "owner": lambda c: (c.owner or "", c.score["rank"]),
}
COHORTS = (6, 7)  # before and after the move to secondary school
FILTERS = ("school", "locality", "year", "theme")
VALID = re.compile(r"[^<>\"'\x00-\x1f]{1,60}")
PAGE = re.compile(r"[1-9]\d{0,3}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class ListQuery:
    """The parameters of a list's address; an empty filter does not filter.

    Attributes
    ----------
    show : str
        One of ``chosen.SHOWS``.
    school, locality, year, theme : str
    sort : str
        A key of ``SORTS``.
    page : str
        Of a view that the team's capacity does not limit.
    """

    show: str = "all"
    school: str = ""
    locality: str = ""
    year: str = ""
    theme: str = ""
    sort: str = "rank"
    page: str = "1"

    @classmethod
    def of(cls, parameters: Mapping[str, str], context: PageContext) -> ListQuery:
        """Read the parameters of an address. What cannot be one is ignored; a filter that names what is no more is kept, see ``gone``."""
        given = {f.name: parameters.get(f.name, "") for f in fields(cls)}
        allowed = {
            "show": given["show"] in chosen.SHOWS,
            "school": VALID.fullmatch(given["school"]),
            "locality": VALID.fullmatch(given["locality"]),
            "year": given["year"].isdecimal() and given["year"].isascii() and len(given["year"]) < 3,
            "theme": VALID.fullmatch(given["theme"]),
            "sort": given["sort"] in SORTS,
            "page": PAGE.fullmatch(given["page"]),
        }
        return cls(**{name: value for name, value in given.items() if allowed[name]})

    @property
    def is_filtered(self) -> bool:
        """Whether a filter is set."""
        return any(getattr(self, name) for name in FILTERS)

    def gone(self, context: PageContext) -> list[str]:
        """Return the filters that name what is no more: an area that was removed, a reason that got another name."""
        known = {"locality": [*context.configuration.localities], "theme": themes_shown()}
        return [name for name, values in known.items() if getattr(self, name) and getattr(self, name) not in values]

    def parameters(self, **changes: str) -> str:
        """Return the query string with some changes; what is as by default is left out."""
        changes = {"page": "1", **changes} if changes else changes
        default, own = asdict(ListQuery()), asdict(replace(self, **changes))
        return urlencode({name: value for name, value in own.items() if value != default[name]})

    def address(self, route: str = ROUTE, done: str = "", **changes: str) -> str:
        """Return an address with this query and what was done there, such as ``/work-list?show=mine&done=contact``."""
        query = "&".join(part for part in (self.parameters(**changes), f"done={done}" if done else "") if part)
        return f"{route}?{query}" if query else route

    def chosen(self, context: PageContext) -> chosen.Chosen:
        """Return the filters for the store."""
        urns = [self.school] if self.school else None
        if self.locality:
            schools: Sequence[str] = context.configuration.localities.get(self.locality, ())
            urns = [urn for urn in (urns or schools) if urn in schools]
        return chosen.Chosen(
            urns,
            int(self.year) if self.year else None,
            self.theme or None,
            gone=bool(self.gone(context)),
            show=self.show,
            page=int(self.page),
        )

    def choices(self, context: PageContext, schools: list[tuple[str, str]]) -> list[dict[str, Any]]:
        """Return the filters and the order, each with its options and the chosen one."""
        words = context.renderer.words
        cohorts = [(str(y), words(f"work_list.cohort_{y}")) for y in COHORTS]
        years = [(str(y), words.year_group(y)) for y in range(12) if y not in COHORTS]
        offered = {
            "school": schools,
            "locality": [(name, name) for name in context.localities([u for u, _ in schools])],
            "year": [*cohorts, *years],
            "theme": [(theme, theme) for theme in themes_shown()],
        }
        filters = [
            {"name": name, "items": [("", words(f"work_list.all_{name}")), *items], "chosen": getattr(self, name)}
            for name, items in offered.items()
            if items
        ]
        sorts = [(name, words(f"work_list.by_{name}")) for name in SORTS]
        return [*filters, {"name": "sort", "items": sorts, "chosen": self.sort}]


def themes_shown() -> list[str]:
    """Return the titles of the themes that can give a reason."""
    shown = {f.theme for f in catalogue().features if f.role == "reason"}
    return [title for name, title in catalogue().themes.items() if name in shown]
