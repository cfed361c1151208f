"""The option ``--helped``, shared by the verbs that learn from outcomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

ASKED = ("leave-out", "untreated", "nobody")  # those of training.fitting.helped, whose import takes too long for --help


def helped_option(default: str = "as they came") -> Callable[[Any], Any]:
    """Return the option; ``default`` says what holds without it."""
    text = (
        f"How outcomes that help changed are handled: children left out, or only the time before the help; or state that lists led to no help (nobody). "
        f"Default: {default}."
    )
    return click.option("--helped", type=click.Choice(ASKED), help=text)
