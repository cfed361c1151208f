"""The option ``--helped``, shared by the verbs that learn from outcomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

WAYS = ("leave-out", "untreated")  # those of training.fitting.helped, whose import takes too long for --help


def helped_option(default: str = "as they came") -> Callable[[Any], Any]:
    """Return the option; ``default`` says what holds without it."""
    text = f"How outcomes that help changed are learnt: children left out, or only the time before the help; default: {default}."
    return click.option("--helped", type=click.Choice(WAYS), help=text)
