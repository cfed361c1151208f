"""The verb ``models`` with what only the service knows: how a challenger does in the champion's shadow."""

from __future__ import annotations

from typing import Any

import click

from histories.io.terminal import json_option, result
from training.cli.models import models


@models.command()
@json_option
def shadow(as_json: bool) -> None:
    """Say how a challenger's scores of what was posted to the service differ from the champion's."""
    from histories.settings import settings
    from serving.scoring.shadow import differences
    from serving.store import Store

    found = differences(Store.of(settings()))
    lines = [
        f"v{f['challenger']} in the shadow of v{f['champion']} since {f['since']}: {f['pupils']:,} pupils scored by both; "
        f"rank correlation {'-' if f['rank_correlation'] is None else format(f['rank_correlation'], '.3f')}; "
        f"{f['list_changes']:.1%} of a list of the highest 5% would change; mean risk difference {f['mean_risk_difference']:+.4f}"
        for f in found
    ]
    result({"pairs": found}, as_json=as_json, text="\n".join(lines) or "no challenger has scored in shadow yet")


@models.result_callback()
@click.pass_context
def tell_the_audit(context: click.Context, _: Any) -> None:
    """Take over what the registry has logged; what a run leaves out, such as a training, the service or the next one takes."""
    if context.invoked_subcommand in ("promote", "rollback", "judge"):
        from histories.settings import settings
        from serving.store import Store
        from serving.store.audit.model_log import copy_moves

        copy_moves(Store.of(settings()), settings().releases)


verbs: list[Any] = [models]
