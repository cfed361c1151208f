"""The command ``onroll``: the verbs of all rooms, and one place that reports errors."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from histories.errors import Faults
from histories.io.memory import too_little
from histories.io.private_files import only_for_the_owner
from histories.io.system_refusals import refused

VERBS = {
    "simulate": "histories.cli.simulate",
    "import": "histories.cli.import_returns",
    "link": "histories.cli.link",
    "pseudonyms": "serving.cli.pseudonyms",
    "find": "histories.cli.find",
    "check": "histories.cli.check",
    "features": "features.cli.features",
    "leaks": "features.cli.leaks",
    "doctor": "training.cli.doctor",
    "describe": "training.cli.describe",
    "definitions": "training.cli.describe",
    "train": "serving.cli.train",
    "models": "serving.cli.models",
    "score": "serving.cli.score",
    "people": "serving.cli.people",
    "monitor": "serving.cli.monitor",
    "involvement": "serving.cli.involvement",
    "retrain": "serving.cli.retrain",
    "trial": "serving.cli.trial",
    "keys": "serving.cli.keys",
    "sessions": "serving.cli.sessions",
    "approvals": "serving.cli.approvals",
    "database": "serving.cli.database",
    "audit": "serving.cli.audit",
    "actions": "serving.cli.actions",
    "enquiries": "serving.cli.enquiries",
    "not-in-school": "serving.cli.not_in_school",
    "retention": "serving.cli.records",
    "hold": "serving.cli.records",
    "erase": "serving.cli.records",
    "subject-access": "serving.cli.subject_access",
    "access": "serving.cli.access",
    "serve": "serving.cli.serve",
    "demo": "serving.cli.demo_verb",
}


class Verbs(click.Group):
    """The group of verbs; a verb's module is imported only when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the verbs in the order in which data flow through the rooms."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a verb."""
        if cmd_name not in VERBS:
            return None
        verbs = {verb.name: verb for verb in import_module(VERBS[cmd_name]).verbs}
        return verbs[cmd_name]


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="onroll", prog_name="onroll")
def onroll() -> None:
    """Find children likely to go missing from education, and say why."""
    only_for_the_owner()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one verb; exit 0 when done, 1 when the data or a gate says no, 2 for wrong usage."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ["PYTHONSAFEPATH"] = "1"  # no process started from here imports from the working folder
    # Or numba would take a cache, which it unpickles, from a `.numba_config.yaml` in the working folder.
    os.environ.setdefault("NUMBA_CACHE_DIR", "")
    # The imports leave a million objects that stay. To look through them after every few hundred new ones took a fifth of a list.
    gc.set_threshold(50_000, 50, 100)
    try:
        onroll.main(args=arguments, prog_name="onroll", standalone_mode=True)
    except Faults as faults:
        click.echo(str(faults), err=True)
        sys.exit(faults.exit_code)
    except Exception as error:
        if fault := too_little(error) or refused(error):
            click.echo(str(fault), err=True)
            sys.exit(Faults.exit_code)
        # A library's message can hold a pupil's value, so report only the exception's type and place.
        if os.environ.get("ONROLL_TRACEBACK"):
            raise
        click.echo(_unexpected(error), err=True)
        sys.exit(1)


def _unexpected(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: an unexpected error.\n"
        "    Run again with ONROLL_TRACEBACK=1 for the traceback; it may print values from the data."
    )


if __name__ == "__main__":
    main()
