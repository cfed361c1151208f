"""The verb ``onroll link``."""

from __future__ import annotations

from pathlib import Path

import click

from histories.io.terminal import json_option, progress, result


@click.command()
@click.argument("histories", type=click.Path(path_type=Path))
@click.option(
    "--people",
    type=click.Path(path_type=Path),
    required=True,
    help="CSV with person_id, forename, surname and dob; also upn, sex and postcode when known.",
)
@json_option
def link(histories: Path, people: Path, as_json: bool) -> None:
    """Link people without UPNs to the pupils in HISTORIES.

    Certain links are stored. Doubtful pairs go to review.csv in the linkage store beside HISTORIES; names never leave that
    folder. Write yes or no in the column `same`, then run the verb again.
    """
    from histories.linking.link import link as run
    from histories.linking.store import LinkageStore

    with progress("linking"):
        counts = run(histories, people)
    review = LinkageStore(histories).review
    text = "\n".join(f"{n:>8,} {what.replace('_', ' ')}" for what, n in counts.items())
    result({**counts, "review": str(review)}, as_json=as_json, text=f"{text}\npairs to review are in {review}")


verbs = [link]
