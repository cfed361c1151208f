"""What a list shows, as its address says it: the view, the filters and the order. An address never holds a pupil's value."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
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
    "year": lambda c: (c.score["nc_year"] if c.roll_year is None else c.roll_year, c.score["rank"]),
    "clock": lambda c: (c.clock["due_on"] if c.clock else date.max, c.score["rank"]),
    "owner": lambda c: (c.owner or "", c.score["rank"]),
}
COHORTS = (6, 7)  # before and after the move to secondary school
FILTERS = ("school", "locality", "year", "theme")
UNKNOWN = "??"  # stands for what is no name of anything: it matches nobody
VALID = re.compile(r"[^<>\"'\x00-\x1f]{1,60}")  # of what is not known, addresses repeat only this
YEAR = re.compile(r"\d{1,2}", re.ASCII)
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
        """Read the parameters of an address. No filter is ignored: one that names what is no more, or never was, is ``gone``."""
        given = {f.name: parameters.get(f.name, "") for f in fields(cls)}
        allowed = {
            "show": given["show"] in chosen.SHOWS,
            "sort": given["sort"] in SORTS,
            "page": PAGE.fullmatch(given["page"]),
        }
        known = _known(context)
        filters = {
            "year": _kept(given["year"], (), YEAR),
            **{name: _kept(given[name], known.get(name, ()), VALID) for name in ("school", "locality", "theme")},
        }
        return cls(**filters, **{name: given[name] for name, is_allowed in allowed.items() if is_allowed})

    @property
    def is_filtered(self) -> bool:
        """Whether a filter is set."""
        return any(getattr(self, name) for name in FILTERS)

    def gone(self, context: PageContext, schools: Collection[str] | None = None) -> list[str]:
        """Return the filters that name what is no more: an area that was removed, a reason that got another name.

        Parameters
        ----------
        context : PageContext
        schools : collection of str, optional
            Those of the children whom the caller sees; without them no school counts as gone, and one that is matches nobody.
        """
        known = {**_known(context), "year": [self.year] if self.year != UNKNOWN else []}
        known |= {} if schools is None else {"school": schools}
        return [n for n in FILTERS if n in known and getattr(self, n) and getattr(self, n) not in known[n]]

    def parameters(self, **changes: str) -> str:
        """Return the query string with some changes; what is as by default is left out."""
        changes = {"page": "1", **changes} if changes else changes
        default, own = vars(ListQuery()), vars(replace(self, **changes))
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
            int(self.year) if self.year.isdecimal() else None,
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


def _known(context: PageContext) -> dict[str, Collection[str]]:
    """Return what filters can name, however it is written."""
    return {"locality": context.configuration.localities, "theme": themes_shown()}


def _kept(value: str, known: Collection[str], valid: re.Pattern[str]) -> str:
    return value if not value or value in known or valid.fullmatch(value) else UNKNOWN


def themes_shown() -> list[str]:
    """Return the titles of the themes that can give a reason."""
    shown = {f.theme for f in catalogue().features if f.role == "reason"}
    return [title for name, title in catalogue().themes.items() if name in shown]
