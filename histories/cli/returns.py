"""The verbs ``onroll check`` and ``onroll import``."""

from __future__ import annotations

from pathlib import Path

import click

from histories.errors import Fault, Usage
from histories.io.terminal import json_option, progress, result


@click.command()
@click.argument("histories", type=click.Path(path_type=Path))
@click.option("--report", type=click.Path(path_type=Path), help="Also write an HTML page.")
@click.option(
    "--silence", type=click.Path(path_type=Path), help="TOML file of rules that do not count, each with its reason."
)
@json_option
def check(histories: Path, report: Path | None, silence: Path | None, as_json: bool) -> None:
    """Check HISTORIES by every rule; exit 1 when a rule of severity error finds something."""
    from histories.checks.check import check as run
    from histories.checks.check import load_silences, write_report
    from histories.reading.histories import Histories
    from histories.settings import settings

    with progress("checking"):
        checked = run(Histories.open(histories, memory=settings().memory), load_silences(silence))
    if report:
        write_report(checked, report)
    result(checked.to_dict(), as_json=as_json, text=checked.text())
    if checked.errors:
        raise SystemExit(1)


@click.command("import")
@click.argument("form", metavar="FORMAT", required=False)
@click.argument("sources", metavar="SRC...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--into", type=click.Path(path_type=Path), help="The histories folder to write.")
@click.option(
    "--mapping", type=click.Path(path_type=Path), help="TOML file that names columns (formats marks and csv)."
)
@click.option(
    "--link",
    "persons",
    type=click.Path(path_type=Path),
    help="CSV of persons with names: link those without a UPN first.",
)
@click.option("--list", "listing", is_flag=True, help="Describe every format.")
@json_option
def import_(
    form: str | None,
    sources: tuple[Path, ...],
    into: Path | None,
    mapping: Path | None,
    persons: Path | None,
    listing: bool,
    as_json: bool,
) -> None:
    """Read real returns (SRC: files or folders) of a FORMAT into a histories folder, new or there already."""
    from histories.returns import FORMATS, import_return
    from histories.settings import settings

    if listing:
        result(
            {n: f.describe() for n, f in FORMATS.items()},
            as_json=as_json,
            text="\n\n".join(f.text() for f in FORMATS.values()),
        )
        return
    if form not in FORMATS or not sources or into is None:
        do = f"onroll import FORMAT SRC... --into HISTORIES, with one of {', '.join(FORMATS)}."
        raise Usage(Fault("the format, a source or --into is missing or not known", "import", do))
    if mapping is not None and not FORMATS[form].mappable:
        raise Usage(Fault("the format takes no mapping", "import --mapping", "Use it with the formats marks and csv."))
    with progress("importing"):
        found = settings()
        report = import_return(
            FORMATS[form],
            list(sources),
            into,
            found.pseudonym_key,
            mapping=mapping,
            persons=persons,
            memory=found.memory,
        )
    result(report.to_dict(), as_json=as_json, text=report.text())


@click.command()
@click.argument("histories", type=click.Path(path_type=Path))
@click.option(
    "--people",
    type=click.Path(path_type=Path),
    required=True,
    help="CSV: person_id, forename, surname, dob; upn, sex, postcode where known.",
)
@json_option
def link(histories: Path, people: Path, as_json: bool) -> None:
    """Find the pupils for persons of another list that carry no UPN; names stay in the store beside HISTORIES.

    Sure links are kept. Doubtful pairs go to review.csv in the store: write yes or no into the column `same` and run again.
    """
    from histories.linking.link import link as run
    from histories.linking.store import LinkageStore

    with progress("linking"):
        found = run(histories, people)
    review = LinkageStore(histories).review
    text = "\n".join(f"{n:>8,} {what.replace('_', ' ')}" for what, n in found.items())
    result({**found, "review": str(review)}, as_json=as_json, text=f"{text}\npairs to answer are in {review}")


verbs = [check, import_, link]
