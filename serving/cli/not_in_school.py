"""The verb ``not-in-school``: export the records for the register of children not in school."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from histories.io.terminal import ISO_DATE, json_option, result


@click.group("not-in-school")
def not_in_school() -> None:
    """Export records for the register of children not in school."""


@not_in_school.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="CSV file to write.")
@click.option("--since", type=ISO_DATE, help="Only records on or after this day.")
@click.option("--addresses", is_flag=True, help="Also write earlier addresses.")
@json_option
def export(out: Path, since: datetime | None, *, addresses: bool, as_json: bool) -> None:
    """Write every record: child, kind, day, state, review, duty, rule. Only you can read the file.

    Home education, part-time education by agreement, consent, earlier addresses and confirmed destinations. The audit records the export.
    Free text stays in the cases; addresses come only with --addresses.
    """
    from histories.io.spreadsheet import write_csv
    from histories.settings import settings
    from serving.pages.settings import PageSettings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.cases.not_in_school import COLUMNS, DUTIES, rows

    pages = PageSettings.load(settings().pages)
    with Store.of(settings()).view(command_line()) as view:
        made = rows(view, since.date() if since else None, addresses=addresses)
    for row in made:
        row["rule"] = pages.source(DUTIES.get(row["record"], ""), row["date"])
    columns = [*COLUMNS, "rule", *(["address"] if addresses else [])]
    write_csv(out, columns, [[row[c] for c in columns] for row in made])
    result({"rows": len(made), "out": str(out)}, as_json=as_json, text=f"records in {out}: {len(made):,}")


verbs: list[Any] = [not_in_school]
