"""The verb ``involvement``: whether people decide, by group of staff and never by person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click

from histories.calendar import london_today
from histories.io.terminal import ISO_DATE, json_option, result
from serving.cli.kept_words import refuse_names_of_children

WEEKS = 12


@click.command()
@click.option("--authority", required=True, help="The authority's number as text.")
@click.option("--since", type=ISO_DATE, help="First day; by default twelve weeks before the last.")
@click.option("--until", type=ISO_DATE, help="The day after the last one; by default tomorrow.")
@click.option("--exact", is_flag=True, help="Show small numbers of children too: for those who may see the children.")
@json_option
def involvement(authority: str, *, since: datetime | None, until: datetime | None, exact: bool, as_json: bool) -> None:
    """Show whether people decide about what the lists show.

    Of the children at the top of the lists: how many were seen, acted on, set aside and doubted, with reasons, how long after the page was first
    opened, and whether the order mattered. By groups of staff of at least 5 people and 10 steps, never by person.
    """
    from dataclasses import replace

    from histories.settings import settings
    from serving.monitoring.involvement import involvement as compute
    from serving.monitoring.involvement_text import text_of
    from serving.pages.settings import PageSettings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.cases.involvement import material
    from serving.store.scores.complete_lists import weekly_capacities

    current = settings()
    refuse_names_of_children(current, {"--authority": authority})
    last = until.date() if until else london_today() + timedelta(days=1)
    first = since.date() if since else last - timedelta(weeks=WEEKS)
    with Store.of(current).view(replace(command_line(), authority=authority)) as view:
        most = weekly_capacities(view).get(authority, PageSettings.load(current.pages).per_week)
        found = compute(material(view, first, last, most))
    data = {"authority": authority, "most": most, **found.to_dict(exact=exact)}
    result(data, as_json=as_json, text=text_of(data))


verbs: list[Any] = [involvement]
