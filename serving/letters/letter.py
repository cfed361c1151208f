"""A letter to a parent: what is used about a child, what is not, that a person decides, and how to object or complain.

What is used and what is not is read from the features themselves: a letter that is written by hand is soon untrue.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from features.catalogue import Catalogue
from features.feature import Tally
from features.groups.groups import GROUPS, Group
from histories.errors import Fault, Faults
from histories.io.toml import read_toml
from histories.tables import TABLES
from serving.store.scores.stored_scores import LISTED, SHOWN
from serving.store.tables import Pupil, ScoreList, StoredScore
from serving.store.unit_of_work import NotThere, View

HERE = Path(__file__).parent
TEMPLATE = HERE / "letter.txt"
# Data Protection Act 2018, section 164A, which the Data (Use and Access) Act 2025 put in.
ACKNOWLEDGE_DAYS, ACKNOWLEDGE_FROM = 30, date(2026, 6, 19)
NOT_OF_A_CHILD = ("cohort",)
HELPERS = ("open", "age")  # columns of groups that are worked out, not recorded


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """Kinds of records and characteristics by name, in the order of the tables and groups.

    Attributes
    ----------
    used, not_used : tuple of str
        Tables that some feature is counted from, and those that none is.
    characteristics : tuple of str
        Groups by which models are checked, and whose records no feature reads.
    """

    used: tuple[str, ...]
    not_used: tuple[str, ...]
    characteristics: tuple[str, ...]


def kinds(catalogue: Catalogue) -> Kinds:
    """Return what the features of a catalogue use, from their declarations and expressions."""
    used = {table for feature in catalogue.features for table in feature.sources}
    read = _columns_read(catalogue)
    audited = [g for g in GROUPS if g.protected and g.table not in NOT_OF_A_CHILD]
    return Kinds(
        used=tuple(t for t in TABLES if t in used),
        not_used=tuple(t for t in TABLES if t not in used),
        # Of a characteristic that is worked out from which rows there are, the table is what is read.
        characteristics=tuple(g.name for g in audited if g.table not in used or not (_columns_of(g) or read) & read),
    )


def _columns_read(catalogue: Catalogue) -> set[str]:
    """Return every word of the expressions of features and of what they count, columns among them."""
    said = [repr(f.expression()) for f in catalogue.features]
    said += [text for tally in catalogue.tallies.values() for text in _said(tally)]
    return {word for text in said for word in re.findall(r"\w+", text)}


def _said(tally: Tally) -> list[str]:
    return [repr(part()) for part in (tally.where, tally.value) if part is not None]


def _columns_of(group: Group) -> set[str]:
    expressions = group.counts().values() if group.counts is not None else ()
    found = (re.findall(r"col\((\w+)\)", repr(expression)) for expression in expressions)
    return {column for columns in found for column in columns} - set(HELPERS)


@cache
def words() -> dict[str, dict[str, str]]:
    """Return what a parent calls each table and characteristic."""
    return dict(read_toml(HERE / "words.toml"))


def letter(
    view: View,
    pupil_id: str,
    catalogue: Catalogue,
    *,
    today: date,
    contact: str,
    complained_on: date | None,
    template: Path,
) -> str:
    """Return the letter about a child; it has no risk, rank or reason, and no name.

    Parameters
    ----------
    contact : str
        Whom a parent can ask, and where.
    complained_on : date or None
        When a complaint was received that this letter answers.
    template : Path
        A Jinja template; see ``letter.txt``.

    Raises
    ------
    NotThere
        If nothing is held on the child, because it was erased or never known.
    Faults
        If the template cannot be read, or uses a name that there is not.
    """
    mine = sa.select(Pupil.pupil_id).where(Pupil.pupil_id == pupil_id, *view.caller.children(Pupil))
    if view.connection.scalar(mine) is None:
        raise NotThere("pupil")
    count, first, last = _shown(view, pupil_id)
    found, named = kinds(catalogue), words()
    by_law = complained_on and complained_on >= ACKNOWLEDGE_FROM
    values = {
        "today": _day(today),
        "scores": count,
        "as_of_first": _day(first),
        "as_of_last": _day(last),
        "used": [named["tables"].get(t, t) for t in found.used],
        "not_used": _once(named, found),
        "contact": contact,
        "complained_on": _day(complained_on),
        "acknowledge_days": ACKNOWLEDGE_DAYS,
        "acknowledge_by": _day(complained_on + timedelta(days=ACKNOWLEDGE_DAYS)) if complained_on and by_law else "",
    }
    text = rendered(template, values)
    view.record("pupil.letter", pupils=[pupil_id], own_template=template != TEMPLATE)
    return text


def _shown(view: View, pupil_id: str) -> tuple[int, date | None, date | None]:
    """Return on how many days lists that staff were shown had the child, and the first and the last of these days.

    A challenger's list is shown to nobody, and of two versions of a day staff see one.
    """
    days = (sa.func.count(StoredScore.as_of.distinct()), sa.func.min(StoredScore.as_of), sa.func.max(StoredScore.as_of))
    in_force = (StoredScore.pupil_id == pupil_id, StoredScore.replaced_at.is_(None))
    query = sa.select(*days).where(*in_force, LISTED.where(ScoreList.purpose == SHOWN))
    return tuple(view.connection.execute(query).one())  # type: ignore[return-value]


def _once(named: Mapping[str, Mapping[str, str]], found: Kinds) -> list[str]:
    said = [named["characteristics"].get(g, g) for g in found.characteristics]
    return list(dict.fromkeys([*said, *(named["tables"].get(t, t) for t in found.not_used)]))


def rendered(template: Path, values: Mapping[str, Any]) -> str:
    """Return a template with values put in; a file that ends in ``html`` has them escaped."""
    environment = SandboxedEnvironment(
        undefined=StrictUndefined, autoescape=template.suffix == ".html", trim_blocks=True, keep_trailing_newline=True
    )
    try:
        return environment.from_string(template.read_text(encoding="utf-8")).render(values)
    except (OSError, UnicodeDecodeError, TemplateError) as error:
        do = "Start from serving/letters/letter.txt, which uses every name that there is."
        raise Faults(Fault(f"this template cannot be used ({type(error).__name__})", str(template), do)) from None


def _day(day: date | None) -> str:
    return f"{day.day} {day:%B %Y}" if day else ""
