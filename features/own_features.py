"""A user's own features: a Python file written like a theme's file, read and checked without any data."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from features.feature import Feature, Tally
from histories.errors import Fault, Faults
from histories.io.digest import file_digest
from histories.tables import TABLES

SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
COUNTED = [
    name for name, table in TABLES.items() if "pupil_id" in table.columns and name not in ("pupils", "attendance")
]


@dataclass(frozen=True, kw_only=True)
class OwnFeatures:
    """What a file of own features declares.

    Attributes
    ----------
    file : str
        The file as the settings name it; empty when they name none.
    digest : str
        SHA-256 of the file's bytes, recorded in a model's manifest.
    """

    file: str = ""
    digest: str = ""
    features: tuple[Feature, ...] = ()
    tallies: dict[str, Tally] = field(default_factory=dict)
    themes: dict[str, str] = field(default_factory=dict)


def read_own_features(
    file: Path, features: Collection[str], tallies: Collection[str], themes: Collection[str]
) -> OwnFeatures:
    """Run a file of own features and check what can be checked without any data.

    Parameters
    ----------
    file : Path
    features, tallies, themes : collection of str
        The names already in the catalogue.

    Raises
    ------
    Faults
        With every fault: a missing file, names that are taken or not in snake case, unknown tables and themes.
    """
    module = _run(file)
    declared = OwnFeatures(
        file=str(file),
        digest=file_digest(file),
        features=tuple(getattr(module, "FEATURES", ())),
        tallies=dict(getattr(module, "TALLIES", {})),
        themes=dict(getattr(module, "THEMES", {})),
    )
    wrong = [x for x in declared.features if not isinstance(x, Feature)] + [
        x for x in declared.tallies.values() if not isinstance(x, Tally)
    ]
    if wrong or not declared.features:
        do = "Write FEATURES = [Feature(...), ...] and TALLIES = {name: Tally(...)}; see docs/own-features.md."
        raise Faults(Fault("FEATURES or TALLIES is missing or holds something else", str(file), do))
    faults = _naming(declared, "feature", [f.name for f in declared.features], features)
    faults += _naming(declared, "tally", list(declared.tallies), tallies)
    faults += _declarations(declared, {*themes, *declared.themes})
    if faults:
        raise Faults(faults)
    return declared


def _run(file: Path) -> Any:
    """Run the file as a module; an error in it becomes a fault with its type and line."""
    if not file.is_file():
        do = "Put the file there, or point ONROLL_FEATURES to it."
        raise Faults(Fault("there is no such file of features", str(file), do))
    spec = importlib.util.spec_from_file_location("onroll_own_features", file)
    if spec is None or spec.loader is None:
        raise Faults(Fault("this is not a Python file", str(file), "Give it a name that ends in .py."))
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise Faults(
            Fault(f"the file fails: {type(error).__name__}: {error}", _place(file, error), "Correct that line.")
        ) from error
    return module


def _place(file: Path, error: BaseException) -> str:
    """Return the file and the line in it that raised an error."""
    line, trace = getattr(error, "lineno", None), error.__traceback__
    while trace:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == str(file) else line
        trace = trace.tb_next
    return f"{file}, line {line}" if line else str(file)


def _naming(declared: OwnFeatures, what: str, names: list[str], taken: Collection[str]) -> list[Fault]:
    faults = []
    for name in names:
        where = f"{declared.file}, {what} {name}"
        if not SNAKE.fullmatch(name):
            faults.append(Fault("the name is not in snake case", where, "Write it like times_late_90d."))
        if name in taken or names.count(name) > 1:
            faults.append(
                Fault("the name is taken", where, "Choose another; `onroll features --list` lists those in use.")
            )
    return list(dict.fromkeys(faults))


def _declarations(declared: OwnFeatures, themes: Collection[str]) -> list[Fault]:
    faults = []
    for name, tally in declared.tallies.items():
        if tally.table not in COUNTED:
            do = f"Count rows of one of {', '.join(COUNTED)}."
            faults.append(Fault(f"there is no table {tally.table} to count", f"{declared.file}, tally {name}", do))
    for f in declared.features:
        where = f"{declared.file}, feature {f.name}"
        unknown = [s for s in f.sources if s not in TABLES]
        if unknown or not f.sources:
            do = f"Name the tables that it needs, out of {', '.join(TABLES)}."
            faults.append(Fault(f"there is no table {', '.join(unknown) or 'named in sources'}", where, do))
        if f.theme not in themes:
            do = f"Use one of {', '.join(sorted(themes))}, or add it to THEMES in the file."
            faults.append(Fault(f"there is no theme {f.theme}", where, do))
        if f.direction not in (-1, 0, 1) or f.role not in ("reason", "context", "never_shown"):
            do = "direction is 1, 0 or -1; role is reason, context or never_shown."
            faults.append(Fault("the direction or role is unknown", where, do))
    return faults
