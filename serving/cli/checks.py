"""The verb ``trial checks``: draw some children below the cut by lot, list them, and estimate missed need."""

from __future__ import annotations

from pathlib import Path

import click

from histories.io.quantities import quantity
from histories.io.terminal import json_option, result

plan_argument = click.argument("plan_file", metavar="PLAN", type=click.Path(path_type=Path))
definition_option = click.option(
    "--definition", "definitions", multiple=True, help="File of your own definition that the list used."
)
cohort_option = click.option(
    "--cohort", type=click.Path(path_type=Path), help="TOML file of the cohort that the list used."
)
exact_option = click.option("--exact", is_flag=True, help="Show small numbers too: for those who may see the children.")


@click.group()
def checks() -> None:
    """Check some children below the cut, drawn by lot.

    A list shows only those whom it chose. The checks show whom it missed. PLAN is a TOML file; docs/trial.md has an example.
    """


@checks.command()
@plan_argument
@click.option("--out", type=click.Path(path_type=Path), help="CSV file of the children to check.")
@click.option("--dry-run", is_flag=True, help="Show what the checks can tell; register nothing, draw nobody.")
@definition_option
@cohort_option
@exact_option
@json_option
def draw(
    *,
    plan_file: Path,
    out: Path | None,
    dry_run: bool,
    definitions: tuple[str, ...],
    cohort: Path | None,
    exact: bool,
    as_json: bool,
) -> None:
    """Register PLAN, draw by lot, and write whom to check.

    Nobody chooses a child: the lot follows from the plan's seed and the salt of its registration. The rules by which outcomes will be
    judged are registered too. Only you can read the file, and it says that nothing is suspected. Exit code 1: the list is too old or was drawn from before, or the plan or the audit was changed.
    """
    from histories.errors import Fault, Usage
    from histories.settings import settings
    from serving.pages.settings import PageSettings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.trials.checks.checks import draw_checks
    from serving.trials.checks.estimate import precision
    from serving.trials.checks.plan import Checks
    from serving.trials.figures import count_text, counts_shown
    from serving.trials.rules import OutcomeRules

    current, of = settings(), Checks.load(plan_file)
    if (out is None) != dry_run:
        raise Usage(Fault("name either a file or --dry-run", "--out", "Name the file of the children to check."))
    _must_be_new(out)
    pages = PageSettings.load(current.pages)
    rules = OutcomeRules.load(definitions, cohort, pages)
    drawn = draw_checks(Store.of(current), command_line(), of, pages=pages, rules=rules, out=out)
    frame, none = drawn.frame, precision(drawn.frame.sizes, of.of.checks)
    bands = list(zip(frame.sizes, of.of.checks, strict=True))
    lines = [
        f"band {n}: {checks:,} of {quantity(size, 'child')}, each with a chance of {checks / size:.1%}"
        for n, (size, checks) in enumerate(bands, 1)
    ]
    excluded = counts_shown(frame.excluded, exact=exact)
    left = [f"{count_text(n)} {why.replace('_', ' ')}" for why, n in excluded.items() if n != 0]
    lines.append(f"above the cut {frame.above:,}; below it, looked at anyway: {', '.join(left) or 'none'}")
    lines.append(f"if none of those drawn needs help, at most {none.high:,.0f} of the others may")
    lines.append("nobody was drawn (--dry-run)" if dry_run else f"children to check: {drawn.children:,}, in {out}")
    data = {"name": of.of.name, "plan": of.digest, "drawn": drawn.children, "above": frame.above}
    data |= {"bands": [{"children": size, "checks": n} for size, n in bands], "excluded": excluded}
    result(
        {**data, "at_most_if_none": none.high, "out": str(out) if out else None}, as_json=as_json, text="\n".join(lines)
    )


@checks.command("list")
@plan_argument
@click.option("--out", type=click.Path(path_type=Path), required=True, help="CSV file of the children to check.")
@json_option
def write(plan_file: Path, out: Path, as_json: bool) -> None:
    """Write the children of PLAN again; nobody else is drawn."""
    from histories.settings import settings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.trials.checks.checks import write_list
    from serving.trials.checks.plan import Checks

    of = Checks.load(plan_file)
    _must_be_new(out)
    children = write_list(Store.of(settings()), command_line(), of, out)
    text = f"children to check: {children:,}, in {out}"
    result({"name": of.of.name, "children": children, "out": str(out)}, as_json=as_json, text=text)


def _must_be_new(out: Path | None) -> None:
    from histories.errors import Fault, Usage

    if out is not None and out.exists():
        raise Usage(Fault("this file exists already", str(out), "Name a new file."))


@checks.command()
@plan_argument
@click.argument("histories", type=click.Path())
@exact_option
@definition_option
@cohort_option
@json_option
def estimate(
    plan_file: Path, histories: str, exact: bool, definitions: tuple[str, ...], cohort: Path | None, as_json: bool
) -> None:
    """Estimate how many children below the cut needed help, or went missing.

    From what workers recorded in cases, and from HISTORIES. Small numbers are hidden. Exit code 1: the day has not come, or the
    plan, its rules, the draw or the audit was changed.
    """
    from histories.cli.opening import open_histories
    from histories.settings import settings
    from serving.pages.settings import PageSettings
    from serving.store import Store
    from serving.store.caller import command_line
    from serving.trials.checks.checks import estimate_checks
    from serving.trials.checks.plan import Checks
    from serving.trials.rules import OutcomeRules

    current, of = settings(), Checks.load(plan_file)
    found = estimate_checks(
        Store.of(current),
        command_line(),
        of,
        open_histories(histories),
        rules=OutcomeRules.load(definitions, cohort, PageSettings.load(current.pages)),
    )
    result(found.to_dict(exact=exact), as_json=as_json, text=found.text(exact=exact))
