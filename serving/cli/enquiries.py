"""The verb ``enquiries``: export who was asked where children are, with results."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from histories.io.terminal import ISO_DATE, json_option, result


@click.group()
def enquiries() -> None:
    """Export the reasonable enquiries made about children."""


@enquiries.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="CSV file to write.")
@click.option("--since", type=ISO_DATE, help="Only enquiries on or after this day.")
@json_option
def export(out: Path, since: datetime | None, as_json: bool) -> None:
    """Write every enquiry: child, day, source, who asked, result, whose turn is next. Only you can read the file.

    The audit records the export. Free text stays in the cases.
    """
    from histories.io.spreadsheet import write_csv
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.cases.enquiries import COLUMNS, rows

    with Store.of(settings()).view(command_line()) as view:
        made = rows(view, since.date() if since else None)
    write_csv(out, COLUMNS, [[row[c] for c in COLUMNS] for row in made])
    result({"rows": len(made), "out": str(out)}, as_json=as_json, text=f"enquiries in {out}: {len(made):,}")


verbs: list[Any] = [enquiries]
