"""The verb ``onroll check``."""

from __future__ import annotations

from pathlib import Path

import click

from histories.io.terminal import json_option, progress, result


@click.command()
@click.argument("histories", type=click.Path(path_type=Path))
@click.option("--report", type=click.Path(path_type=Path), help="Also write an HTML report.")
@click.option("--silence", type=click.Path(path_type=Path), help="TOML file of rules to silence, each with a reason.")
@json_option
def check(histories: Path, report: Path | None, silence: Path | None, as_json: bool) -> None:
    """Check HISTORIES against every rule.

    Exit with 1 when a rule of severity error finds anything.
    """
    from histories.checks.check import check as run
    from histories.checks.check import load_silences
    from histories.checks.report import write_report
    from histories.reading.histories import Histories
    from histories.settings import settings

    with progress("checking"):
        checked = run(Histories.open(histories, memory=settings().memory), load_silences(silence))
    if report:
        write_report(checked, report)
    result(checked.to_dict(), as_json=as_json, text=checked.text())
    if checked.errors:
        raise SystemExit(1)


verbs = [check]
