"""The command ``onroll``: the verbs of all rooms, and one place that reports errors."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from histories.errors import Fault, Faults, Usage
from histories.io.memory import too_little
from histories.io.private_files import only_for_the_owner
from histories.io.system_refusals import refused

# The module and the sentence of each verb, in the order in which data flow through the rooms. The sentence is that of the verb itself (a test compares
# them): to print the help, importing every verb takes longer than all else.
VERBS = {
    "simulate": ("histories.cli.simulate", "Simulate a population and write its histories to OUT."),
    "import": ("histories.cli.import_returns", "Import real returns into a histories folder."),
    "link": ("histories.cli.link", "Link people without UPNs to the pupils in HISTORIES."),
    "pseudonyms": ("serving.cli.pseudonyms", "Rotate the key of children's pseudonyms."),
    "find": ("histories.cli.find", "List children in a population register who are on no roll."),
    "check": ("histories.cli.check", "Check HISTORIES against every rule."),
    "features": ("features.cli.features", "Write the feature matrix of HISTORIES as of given days."),
    "leaks": ("features.cli.leaks", "Prove that no feature of HISTORIES sees the future."),
    "doctor": ("training.cli.doctor", "Check whether HISTORIES can train a model."),
    "describe": ("training.cli.describe", "Show who went missing in HISTORIES, group by group."),
    "definitions": ("training.cli.describe", "Compare all definitions of missing on HISTORIES."),
    "train": ("serving.cli.train", "Train a model on HISTORIES, evaluate it and register it."),
    "models": ("serving.cli.models", "Inspect model versions and change which one serves."),
    "score": ("serving.cli.score", "Score and explain the cohort of HISTORIES as of a day."),
    "people": ("serving.cli.people", "Keep names of children for the pages, encrypted."),
    "monitor": ("serving.cli.monitor", "Compare stored lists with what came; exit 1 on an alarm."),
    "involvement": ("serving.cli.involvement", "Show whether people decide about what the lists show."),
    "retrain": ("serving.cli.retrain", "Retrain on HISTORIES up to the decision of a person."),
    "trial": ("serving.cli.trial", "Find out whether help helps: a trial inside the list."),
    "keys": ("serving.cli.keys", "Create, list and revoke keys of the HTTP interface."),
    "sessions": ("serving.cli.sessions", "List and end the sessions of people who use the pages."),
    "approvals": ("serving.cli.approvals", "List and confirm what needs a second person."),
    "database": ("serving.cli.database", "Upgrade, check or back up the database."),
    "audit": ("serving.cli.audit", "Read the audit, and verify that it has not been changed."),
    "actions": ("serving.cli.actions", "Export what was done for pupils to the histories."),
    "enquiries": ("serving.cli.enquiries", "Export the reasonable enquiries made about children."),
    "not-in-school": ("serving.cli.not_in_school", "Export records for the register of children not in school."),
    "retention": ("serving.cli.records", "Remove records past their retention period, except holds."),
    "hold": ("serving.cli.records", "Place or lift legal holds, which keep records."),
    "erase": ("serving.cli.records", "Erase pupils' records; exit 1 if any remain."),
    "subject-access": ("serving.cli.subject_access", "Write all that is held on a child to a file, or a letter."),
    "access": ("serving.cli.access", "Show and review who may see what, and close accounts."),
    "serve": ("serving.cli.serve", "Run the HTTP service and its pages until stopped."),
    "demo": ("serving.cli.demo_verb", "Run everything once on simulated data; print a list."),
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
        module, _ = VERBS[cmd_name]
        verbs = {verb.name: verb for verb in import_module(module).verbs}
        return verbs[cmd_name]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb and its arguments, once no option among them is given twice."""
        name, verb, rest = super().resolve_command(ctx, args)
        if verb is not None:
            must_be_given_once(verb, str(name), rest, ctx)
        return name, verb, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs with their sentences, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in VERBS.items()])


def must_be_given_once(verb: click.Command, name: str, arguments: list[str], above: click.Context) -> None:
    """Raise for options that take one value and are given several times: click would take the last, without a word.

    Raises
    ------
    Usage
        With the name of each, also of those of a verb below this one.
    """
    context = click.Context(verb, parent=above, info_name=name, **verb.context_settings)
    _, rest, given = verb.make_parser(context).parse_args(list(arguments))
    times = Counter(p for p in given if isinstance(p, click.Option) and not (p.multiple or p.is_flag or p.count))
    do = "Give it once; run the verb again for another value."
    where = context.command_path.removeprefix("onroll ")
    faults = [
        Fault("the option is given twice, and takes one value", f"{where} {p.opts[0]}", do)
        for p in times
        if times[p] > 1
    ]
    if faults:
        raise Usage(faults)
    below = verb.get_command(context, rest[0]) if isinstance(verb, click.Group) and rest else None
    if below is not None:
        must_be_given_once(below, rest[0], rest[1:], context)


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
