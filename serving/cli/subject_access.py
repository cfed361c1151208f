"""The verb ``subject-access``: everything that is held on one child, in a file that only its owner can read."""

from __future__ import annotations

import json
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from histories.calendar import london_today
from histories.io.terminal import ISO_DATE, json_option, result


@click.command("subject-access")
@click.argument("pupil", required=False)
@click.option(
    "--pupil-file",
    type=click.Path(path_type=Path),
    help="File with the identifier, in place of PUPIL: the shell's history and the process list show arguments.",
)
@click.option(
    "--histories",
    "folders",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Histories to look in as well; repeat it for several.",
)
@click.option("--out", type=click.Path(path_type=Path), help="File to write; by default one named after the day.")
@click.option(
    "--letter",
    type=click.Path(path_type=Path),
    help="Write a letter for a parent to this file instead: what is used and what is not, and how to object or complain.",
)
@click.option("--template", type=click.Path(path_type=Path), help="Of the letter: your own; see docs/store.md.")
@click.option("--contact", default="[who to ask]", help="Of the letter: whom a parent can ask, and where.")
@click.option("--complained-on", type=ISO_DATE, help="Of the letter: when a complaint was received that it answers.")
@json_option
def subject_access(
    pupil: str | None,
    *,
    pupil_file: Path | None,
    folders: tuple[Path, ...],
    out: Path | None,
    letter: Path | None,
    as_json: bool,
    **of_letter: Any,
) -> None:
    """Write all that is held on a child to a file, or a letter.

    Scores, cases, notes, contacts, deadlines, holds, histories, and who saw any of it. Other people are named in it: read it before
    it is given out. The letter is for a parent; it names no child and has no score.
    """
    from histories.errors import Fault, Usage
    from histories.io.atomic_write import new_file
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.store.people.cipher import cipher_of
    from serving.store.records.pupil_file import read_pupils
    from serving.store.records.subject_access import held_on

    pupils = read_pupils(pupil_file) if pupil_file else [pupil or ""]
    if bool(pupil) == bool(pupil_file) or len(pupils) != 1 or not pupils[0].strip():
        raise Usage(Fault("name one pupil", "subject-access", "Give PUPIL, or --pupil-file with one line."))
    (pupil_id,) = pupils
    if letter and (out or folders):
        raise Usage(Fault("a letter is written by itself", "--letter", "Leave --out and --histories out."))
    target = letter or out or Path(f"subject-access-{london_today()}-{secrets.token_hex(3)}.json")
    if pupil_id.lower() in target.name.lower():
        do = "Choose a name without it: names of files reach logs, backups and other people."
        raise Usage(Fault("the file's name holds the pupil's identifier", "--letter" if letter else "--out", do))
    if letter:
        _write_letter(pupil_id, letter, as_json=as_json, **of_letter)
        return
    from_folders = {str(folder): _rows_of(folder, pupil_id) for folder in folders}
    with new_file(target) as beside, Store.of(settings()).view(command_line()) as view:
        held = held_on(view, pupil_id, cipher_of(settings())) | {"histories": from_folders}
        if not folders:
            held["not_looked_in"] = ["histories: none was named with --histories"]
        beside.touch(mode=0o600)
        beside.write_text(json.dumps(held, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
    counts = {name: len(rows) for name, rows in held["tables"].items()}
    counts |= {"histories": sum(len(rows) for tables in from_folders.values() for rows in tables.values())}
    data = {"out": target, "rows": counts, "seen": len(held["seen_by"]), "not_reached": held["not_reached"]}
    text = f"{sum(counts.values()):,} rows and {data['seen']:,} entries of the audit in {target}"
    if not folders:
        text += "\nHistories were not looked in: name them with --histories."
    text += "\nNot reached: " + "; ".join(held["not_reached"]) + "."
    result(data, as_json=as_json, text=text)


def _write_letter(
    pupil_id: str, target: Path, *, template: Path | None, contact: str, complained_on: datetime | None, as_json: bool
) -> None:
    from features import load_own_features
    from features.catalogue import catalogue
    from histories.io.atomic_write import new_file
    from histories.settings import settings
    from serving.letters.letter import TEMPLATE
    from serving.letters.letter import letter as written
    from serving.store import Store
    from serving.store.caller import command_line

    current, day = settings(), complained_on.date() if complained_on else None
    load_own_features(current.features)  # a letter that leaves out what they read would deny it
    more: dict[str, Any] = {
        "today": london_today(),
        "contact": contact,
        "complained_on": day,
        "template": template or TEMPLATE,
    }
    with new_file(target) as beside, Store.of(current).view(command_line()) as view:
        text = written(view, pupil_id, catalogue(), **more)
        beside.touch(mode=0o600)
        beside.write_text(text, encoding="utf-8")
    said = f"a letter in {target}: add the child's name, and read it before it goes out"
    result({"letter": target}, as_json=as_json, text=said)


def _rows_of(folder: Path, pupil_id: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a pupil from every table of a folder of histories, as they are written there."""
    import narwhals as nw

    from histories.cli.opening import open_histories
    from histories.reading.frames import collect
    from histories.tables import TABLES

    histories = open_histories(folder, engine="duckdb")
    rows = {}
    for table in (name for name in TABLES if name in histories.present and "pupil_id" in TABLES[name].columns):
        of_pupil = nw.from_native(histories.native(table)).filter(nw.col("pupil_id") == pupil_id)
        rows[table] = collect(of_pupil).to_dicts()
    return rows


verbs: list[Any] = [subject_access]
