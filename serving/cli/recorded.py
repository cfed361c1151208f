"""Commands of the training room that write a line of the promotion log: the audit is asked before, and records the line after."""

from __future__ import annotations

import copy
from functools import wraps
from typing import Any

import click


def recorded(command: click.Command) -> click.Command:
    """Return a command that also records the line that it returns; see ``serving.store.audit.model_log``."""
    run = command.callback
    if run is None:
        raise TypeError(f"{command.name} does nothing")

    @wraps(run)
    def run_and_record(*words: Any, **options: Any) -> None:
        from histories.settings import settings
        from serving.store.audit.model_log import check_where_audited, record
        from training.workflow import MODEL

        current = settings()
        check_where_audited(current, MODEL)
        record(current, MODEL, run(*words, **options))

    made = copy.copy(command)
    made.callback = run_and_record
    return made
