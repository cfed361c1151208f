"""The verb ``onroll simulate``."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import Any

import click

from histories.calendar import london_today
from histories.io.terminal import IsoDate, json_option, progress, result


class Day(IsoDate):
    """A day, or the word ``today`` for the day that it is in England."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the day."""
        if value == "today":
            return datetime.combine(london_today(), time())
        return super().convert(value, param, ctx)


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
    type=Day(),
    metavar="[DAY|today]",
    help="Last day on which anything is recorded. Without it 2025-12-31, so that a seed gives the same bytes on any day.",
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
