"""The verb ``onroll simulate``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from histories.io.terminal import json_option, progress, result


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--pupils", type=int, default=5000, show_default=True, help="Approximate number of children on roll at any time."
)
@click.option(
    "--years",
    type=int,
    default=4,
    show_default=True,
    help="Full school years; what follows until the last day is added.",
)
@click.option("--authorities", type=int, default=1, show_default=True, help="Number of local authorities.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--scenario", default="default", show_default=True, help="Name or TOML file of a scenario.")
@click.option("--truth", is_flag=True, help="Also write truth.parquet, the true risk of every snapshot.")
@click.option(
    "--last-day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Last day on which anything is recorded; the end of 2025 by default.",
)
@click.option("--csv", is_flag=True, help="Write CSV instead of Parquet.")
@json_option
def simulate(
    *,
    out: Path,
    pupils: int,
    years: int,
    authorities: int,
    seed: int,
    scenario: str,
    truth: bool,
    last_day: datetime | None,
    csv: bool,
    as_json: bool,
) -> None:
    """Simulate a population and write its histories to OUT."""
    from histories.population.simulation import simulate as run

    with progress("simulated population") as advance:
        rows = run(
            out,
            pupils=pupils,
            years=years,
            authorities=authorities,
            seed=seed,
            scenario=scenario,
            truth=truth,
            last_day=last_day.date() if last_day else None,
            csv=csv,
            advance=advance,
        )
    text = "\n".join(f"{name:18} {n:>12,} rows" for name, n in rows.items())
    result({"histories": str(out), "rows": rows}, as_json=as_json, text=f"{text}\nwritten to {out}")


verbs = [simulate]
