"""The verb ``onroll import``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from histories.errors import Fault, Usage
from histories.io.terminal import ISO_DATE, json_option, progress, result


@click.command("import")
@click.argument("form", metavar="FORMAT", required=False)
@click.argument("sources", metavar="SRC...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--into", type=click.Path(path_type=Path), help="The histories folder to write.")
@click.option(
    "--mapping",
    "mappings",
    type=click.Path(path_type=Path),
    multiple=True,
    help="TOML file that maps columns (formats marks and csv; with auto, for the files that have those columns, and repeatable).",
)
@click.option(
    "--link",
    "persons",
    type=click.Path(path_type=Path),
    help="CSV of persons with names; those without a UPN are linked (with auto, once the folder's own names are in).",
)
@click.option(
    "--sender",
    default="",
    help="The authority whose return it is, for returns that do not name it, such as SSDA903: a return corrects its own sender's only.",
)
@click.option(
    "--submitted",
    type=ISO_DATE,
    help="Day on which the return was submitted or extracted.",
)
@click.option("--list", "listing", is_flag=True, help="Describe every format.")
@json_option
def import_(
    *,
    form: str | None,
    sources: tuple[Path, ...],
    into: Path | None,
    mappings: tuple[Path, ...],
    persons: Path | None,
    submitted: datetime | None,
    sender: str,
    listing: bool,
    as_json: bool,
) -> None:
    """Import real returns into a histories folder.

    SRC are files or folders of the given FORMAT. With 'auto' as FORMAT, SRC is one folder of mixed files: each is recognised by
    its content, and a faulty value in one stops the import of all. A return that cannot be used yet, because no pupil can be
    named or a file of it is missing, is left out; the rest is imported and the exit code is 1, as it is when a table, XML or JSON
    in the folder is not recognised. The histories folder may be new or exist already. Importing merges: the order of returns does
    not matter, and a return that is submitted again corrects the first submission of its sender.
    """
    from histories.pseudonym_key import key_away_from
    from histories.returns import FORMATS, import_folder, import_return
    from histories.settings import settings

    if listing:
        result(
            {n: f.describe() for n, f in FORMATS.items()},
            as_json=as_json,
            text="\n\n".join(f.text() for f in FORMATS.values()),
        )
        return
    if form == "auto" and len(sources) == 1 and into is not None and not (submitted or sender):
        with progress("importing"):
            config = settings()
            folder_report = import_folder(
                FORMATS,
                sources[0],
                into,
                key_away_from(config, into),
                mappings=mappings,
                persons=persons,
                memory=config.memory,
            )
        result(folder_report.to_dict(), as_json=as_json, text=folder_report.text())
        if folder_report.unread:
            raise SystemExit(1)
        return
    if form not in FORMATS or not sources or into is None:
        do = f"onroll import FORMAT SRC... --into HISTORIES, with auto and one folder, or one of {', '.join(FORMATS)}."
        what = (
            "the format is missing or unknown, a source or --into is missing, or auto was given --sender or --submitted"
        )
        raise Usage(Fault(what, "import", do))
    if mappings and not FORMATS[form].mapping_keys:
        raise Usage(Fault("this format takes no mapping", "import --mapping", "Use it with the formats marks and csv."))
    if len(mappings) > 1:
        raise Usage(
            Fault("one format takes one mapping", "import --mapping", "Import each mapping's files by themselves.")
        )
    with progress("importing"):
        config = settings()
        report = import_return(
            FORMATS[form],
            list(sources),
            into,
            key_away_from(config, into),
            mapping=mappings[0] if mappings else None,
            persons=persons,
            submitted_on=submitted.date() if submitted else None,
            sender=sender.strip(),
            memory=config.memory,
        )
    result(report.to_dict(), as_json=as_json, text=report.text())
    if report.left_out:
        raise SystemExit(1)


verbs = [import_]
