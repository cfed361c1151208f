"""The verb ``onroll features``."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from histories.errors import Fault, Usage
from histories.io.terminal import (
    ISO_DATE,
    engine_option,
    json_option,
    known_option,
    must_be_named_parquet,
    progress,
    result,
    warn,
)

if TYPE_CHECKING:
    from features import CohortRule
    from histories.reading.histories import Histories

NEWEST = "newest"  # the day of knowledge after the newest recording


@click.command()
@click.argument("histories", type=click.Path(), required=False)
@click.option("--as-of", "as_of", type=ISO_DATE, multiple=True, help="As-of date; may be repeated.")
@click.option("--out", type=click.Path(path_type=Path), help="Parquet file to write.")
@click.option("--cohort", type=click.Path(path_type=Path), help="TOML file with the rule of the cohort.")
@known_option
@engine_option
@click.option(
    "--compare-known",
    "hindsight",
    metavar="[DAY]",
    is_flag=False,
    flag_value=NEWEST,
    help="Compare features as known then with hindsight at DAY; by default, at the newest recording. Give HISTORIES first; --out is a CSV.",
)
@click.option("--list", "listing", is_flag=True, help="List the catalogue.")
@click.option(
    "--explain", "name", metavar="NAME", help="Describe a feature: what it counts, when it is missing, examples."
)
@json_option
def features(
    *,
    histories: str | None,
    as_of: tuple[datetime, ...],
    out: Path | None,
    cohort: Path | None,
    known_on: datetime | None,
    engine: str | None,
    hindsight: str | None,
    listing: bool,
    name: str | None,
    as_json: bool,
) -> None:
    """Write the feature matrix of HISTORIES as of given days."""
    if listing or name is not None:
        from features import load_own_features
        from features.catalogue import catalogue
        from features.feature_docs import explained, listed
        from histories.settings import settings

        load_own_features(settings().features)
        data, text = explained(name) if name is not None else ({"features": catalogue().declarations()}, listed())
        result(data, as_json=as_json, text=text)
        return
    if hindsight is not None and known_on is not None:
        do = "Give the day to --compare-known, and leave --known out."
        raise Usage(Fault("two days of knowledge are given", "features --known --compare-known", do))
    if histories is None or not as_of or (out is None and hindsight is None):
        raise Usage(
            Fault(
                "HISTORIES, --as-of or --out is missing",
                "features",
                "onroll features HISTORIES --as-of 2025-01-13 --out F.parquet",
            )
        )
    if out is not None and hindsight is None:
        must_be_named_parquet(out)
    from features import CohortRule, load_own_features
    from features.catalogue import catalogue
    from features.counting.block_cache import kept_blocks
    from features.matrix import write_matrix
    from features.outcome.not_in_cohort import days_in, warnings_of_empty_days
    from histories.cli.opening import open_histories, warn_of_late_days
    from histories.settings import settings

    rule = CohortRule.load(cohort)
    current = settings()
    load_own_features(current.features)
    opened = open_histories(histories, engine=engine)
    warn_of_late_days(opened, [d.date() for d in as_of])
    if out is None or hindsight is not None:
        _compare(
            opened=opened,
            days=sorted({d.date() for d in as_of}),
            known_on=hindsight or NEWEST,
            rule=rule,
            out=out,
            as_json=as_json,
        )
        return
    with progress("features") as advance:
        days, store = sorted({d.date() for d in as_of}), kept_blocks(current)
        day = known_on.date() if known_on else None
        rows = write_matrix(out, opened, days, rule=rule, known_on=day, kept=store, advance=advance)
    warn(warnings_of_empty_days(days, days_in(out)))
    data = {
        "rows": rows,
        "features": len(catalogue().features),
        "blocks": {"counted": store.counted, "reused": store.reused} if store else None,
        "out": str(out),
        "missing_tables": list(opened.missing),
    }
    result(
        data,
        as_json=as_json,
        text=f"{rows:,} snapshots with {len(catalogue().features)} features written to {out}",
    )


def _compare(
    opened: Histories, days: list[date], known_on: str, rule: CohortRule, out: Path | None, as_json: bool
) -> None:
    """Compare features as known on the days with features in hindsight."""
    from features.leakage.hindsight import hindsight

    try:
        day = None if known_on == NEWEST else date.fromisoformat(known_on)
    except ValueError as error:
        do = "Write it like 2025-09-01, or leave it out; HISTORIES comes before the option."
        raise Usage(Fault("this is not a date", "features --compare-known", do)) from error
    with progress("features") as advance:
        compared = hindsight(opened, days, day, rule=rule, advance=advance)
    if out is not None:
        compared.write(out)
    result(compared.to_dict(), as_json=as_json, text=compared.text())


verbs = [features]
