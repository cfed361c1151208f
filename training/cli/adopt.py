"""The command ``onroll models adopt``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from histories.io.terminal import json_option, progress, result
from training.cli.helped_option import helped_option


@click.command()
@click.argument("bundle")
@click.argument("histories", type=click.Path())
@helped_option("as in the other authority")
@click.option("--seed", type=int, default=1, show_default=True)
@json_option
def adopt(bundle: str, histories: str, helped: str | None, seed: int, as_json: bool) -> dict[str, Any]:
    """Adopt another authority's model: recalibrate BUNDLE on HISTORIES, judge it there and register it.

    BUNDLE is a folder written by 'onroll models export', or name@alias. Its ranks stay; slope and intercept of its risks change, the less
    the fewer outcomes are known here. Gates, papers and the log are those of a trained version.
    """
    from features import load_own_features
    from histories.cli.opening import open_histories
    from histories.settings import settings
    from training.release.resolve import find_release
    from training.workflow import adopt_and_register

    current = settings()
    load_own_features(current.features)
    release = find_release(bundle, current.releases, current.verify_keys)
    opened = open_histories(histories)
    with progress("adopting") as advance:
        registration = adopt_and_register(
            current, opened, histories, release.folder, seed=seed, helped=helped, advance=advance
        )
    manifest = registration.trained.manifest
    found = manifest.parent["recalibration"]
    name = manifest.candidate
    data = {
        "run_id": registration.run_id,
        "name": manifest.name,
        "version": registration.version,
        "folder": str(registration.folder),
        "candidate": name,
        "parent": {key: manifest.parent[key] for key in ("bundle", "name", "version")},
        "recalibration": found,
        "metrics": manifest.metrics,
    }
    lines = [
        f"{found['events']} of {found['snapshots']:,} snapshots here went missing: log-odds {found['intercept']:+.2f} where events "
        f"were expected, slope {found['slope']:.2f}",
        *compared(found, name),
        f"adopted from {manifest.parent['name']} version {manifest.parent['version']} (bundle {manifest.parent['bundle'][:16]}), "
        f"registered as version {registration.version}",
    ]
    result(data, as_json=as_json, text="\n".join(lines))
    return registration.line  # the audit's room records it


def compared(found: Mapping[str, Any], name: str) -> list[str]:
    """Return what the recalibrated risks of a candidate gained here over those as they came, as lines of text."""
    titles = {"log_loss": "log loss", "brier": "Brier score"}
    lines = [f"{t} {found[f][name]:.5f}, unadapted {found[f]['unadapted']:.5f}" for f, t in titles.items()]
    if all(found[figure][name] > found[figure]["unadapted"] for figure in titles):
        lines.append(
            "by both, the risks as they came did better here: with few outcomes that may be chance; wait for more"
        )
    return lines
