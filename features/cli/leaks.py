"""The verb ``onroll leaks``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from histories.io.terminal import ISO_DATE, engine_option, json_option, progress, result


@click.command()
@click.argument("histories", type=click.Path(path_type=Path))
@click.option("--as-of", "as_of", type=ISO_DATE, required=True, help="The as-of date.")
@click.option(
    "--pupils", type=click.IntRange(1), default=2000, show_default=True, help="About how many pupils, by whole schools."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the sample and of the changes.")
@engine_option
@json_option
def leaks(histories: Path, as_of: datetime, pupils: int, seed: int, engine: str | None, as_json: bool) -> None:
    """Prove that no feature of HISTORIES sees the future.

    In a copy of HISTORIES the future is rewritten: rows recorded on or after the day are changed, deleted and added in every
    table, and ends and corrections are recorded late. Exits with 1 if a feature as of the day changes. HISTORIES itself is never
    changed.
    """
    from features import load_own_features
    from features.leakage.leaks import leaks as prove
    from histories.cli.opening import open_histories
    from histories.settings import settings

    current = settings()
    load_own_features(current.features)
    with progress("leaks") as advance:
        opened = open_histories(histories, engine=engine)
        proof = prove(
            opened,
            as_of.date(),
            pupils=pupils,
            seed=seed,
            engine=engine or current.engine,
            memory=current.memory,
            advance=advance,
        )
    result(proof.to_dict(), as_json=as_json, text=proof.text())
    if proof.leaks:
        raise SystemExit(1)


verbs = [leaks]
