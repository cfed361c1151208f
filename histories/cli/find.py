"""The verb ``onroll find``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from histories.cli.opening import open_histories
from histories.errors import Fault, Usage
from histories.io.terminal import ISO_DATE, engine_option, json_option, progress, result, warn

SHOWN = 10  # row numbers in the text


@click.command()
@click.argument("histories", type=click.Path(path_type=Path))
@click.option(
    "--register",
    type=click.Path(path_type=Path),
    required=True,
    help="CSV or XLSX of children who live here, with forename, surname and date of birth; also postcode or address, sex, UPN and "
    "the register's own reference when known.",
)
@click.option("--as-of", type=ISO_DATE, help="As-of date; by default the day after the newest record.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The CSV to write, with names; by default no_roll.csv in the linkage store beside HISTORIES.",
)
@engine_option
@json_option
def find(
    *, histories: Path, register: Path, as_of: datetime | None, out: Path | None, engine: str | None, as_json: bool
) -> None:
    """List children in a population register who are on no roll.

    The rows of the register are linked to the names of pupils in the linkage store beside HISTORIES. Children of compulsory
    school age are listed if no pupil matches (no_link), if the pupil is on no roll (off_roll), or if the link is doubtful.
    A person must review the list. It holds names, so only you can read the file; the terminal shows counts and row numbers.
    """
    from histories.linking.no_roll import find_no_roll
    from histories.linking.store import LinkageStore
    from histories.settings import settings

    out = out or LinkageStore(histories).folder / "no_roll.csv"
    if histories.resolve() in out.resolve().parents:
        raise Usage(
            Fault("names must not be written into histories", "find --out", "Name a file outside the histories folder.")
        )
    if not register.is_file():
        raise Usage(Fault("there is no such file", str(register), "Name the register: a CSV or XLSX file."))
    opened = open_histories(histories, engine=engine)
    with progress("linking the register"):
        no_roll = find_no_roll(
            opened,
            histories,
            register,
            out,
            as_of=as_of.date() if as_of else None,
            memory=settings().memory,
        )
    warn(no_roll.warnings)
    lines = [f"on no roll as of {no_roll.as_of} (newest record: {no_roll.newest_record})"]
    lines += [f"{n:>8,} {what.replace('_', ' ')}" for what, n in no_roll.counts.items()]
    for sureness, rows in no_roll.rows.items():
        if rows:
            more = " …" if len(rows) > SHOWN else ""
            lines.append(f"rows {sureness.replace('_', ' ')}: {', '.join(map(str, rows[:SHOWN]))}{more}")
    answer = {
        "as_of": no_roll.as_of,
        "newest_record": no_roll.newest_record,
        **no_roll.counts,
        "rows_listed": no_roll.rows,
        "out": str(out),
    }
    result(answer, as_json=as_json, text="\n".join([*lines, f"the list is in {out}"]))


verbs = [find]
