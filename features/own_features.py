"""Features of a user's own: a Python file that the settings name, written like a theme's file, and checked before it counts."""

from __future__ import annotations

import importlib.util
import re
import string
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import narwhals as nw

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
    """What a file of one's own declares.

    Attributes
    ----------
    file : str
        The file as the settings name it; empty when they name none.
    digest : str
        SHA-256 of the file's bytes, which a model's manifest carries.
    """

    file: str = ""
    digest: str = ""
    features: tuple[Feature, ...] = ()
    tallies: dict[str, Tally] = field(default_factory=dict)
    themes: dict[str, str] = field(default_factory=dict)


def load(
    file: Path | None, features: Collection[str], tallies: Collection[str], themes: Collection[str]
) -> OwnFeatures:
    """Read a file of own features and check what can be checked without any data.

    Parameters
    ----------
    file : Path or None
        The file; None when the settings name none.
    features, tallies, themes : collection of str
        The names that are taken already.

    Raises
    ------
    Faults
        With everything that is wrong: a missing file, names that are taken or not in snake case, unknown tables and themes.
    """
    if file is None:
        return OwnFeatures()
    module = _run(file)
    own = OwnFeatures(
        file=str(file),
        digest=file_digest(file),
        features=tuple(getattr(module, "FEATURES", ())),
        tallies=dict(getattr(module, "TALLIES", {})),
        themes=dict(getattr(module, "THEMES", {})),
    )
    wrong = [x for x in own.features if not isinstance(x, Feature)] + [
        x for x in own.tallies.values() if not isinstance(x, Tally)
    ]
    if wrong or not own.features:
        do = "Write FEATURES = [Feature(...), ...] and TALLIES = {name: Tally(...)}; see docs/own-features.md."
        raise Faults(Fault("FEATURES or TALLIES is missing or holds something else", str(file), do))
    faults = _names(own, "feature", [f.name for f in own.features], features)
    faults += _names(own, "tally", list(own.tallies), tallies)
    faults += _declared(own, {*themes, *own.themes})
    if faults:
        raise Faults(faults)
    return own


def _run(file: Path) -> Any:
    """Run the file as a module; what it raises is said by type and line."""
    if not file.is_file():
        do = "Put the file there, or point ONROLL_FEATURES (features in onroll.toml) to it."
        raise Faults(Fault("there is no such file of features", str(file), do))
    spec = importlib.util.spec_from_file_location("onroll_own_features", file)
    if spec is None or spec.loader is None:
        raise Faults(Fault("this is not a Python file", str(file), "Give it a name that ends in .py."))
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise Faults(
            Fault(f"the file fails: {type(error).__name__}: {error}", _place(file, error), "Mend it.")
        ) from error
    return module


def _place(file: Path, error: BaseException) -> str:
    """Return the file, and the line in it on which an error arose."""
    line, trace = getattr(error, "lineno", None), error.__traceback__
    while trace:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == str(file) else line
        trace = trace.tb_next
    return f"{file}, line {line}" if line else str(file)


def _names(own: OwnFeatures, what: str, names: list[str], taken: Collection[str]) -> list[Fault]:
    faults = []
    for name in names:
        where = f"{own.file}, {what} {name}"
        if not SNAKE.fullmatch(name):
            faults.append(Fault("the name is not in snake case", where, "Write it like times_late_90d."))
        if name in taken or names.count(name) > 1:
            faults.append(
                Fault("the name is taken", where, "Choose another; `onroll features --list` names those there are.")
            )
    return list(dict.fromkeys(faults))


def _declared(own: OwnFeatures, themes: Collection[str]) -> list[Fault]:
    faults = []
    for name, tally in own.tallies.items():
        if tally.table not in COUNTED:
            do = f"Count rows of one of {', '.join(COUNTED)}."
            faults.append(Fault(f"there is no table {tally.table} to count", f"{own.file}, tally {name}", do))
    for f in own.features:
        where = f"{own.file}, feature {f.name}"
        unknown = [s for s in f.sources if s not in TABLES]
        if unknown or not f.sources:
            do = f"Name the tables that it needs, of {', '.join(TABLES)}."
            faults.append(Fault(f"there is no table {', '.join(unknown) or 'named in sources'}", where, do))
        if f.theme not in themes:
            do = f"Use one of {', '.join(sorted(themes))}, or add it to THEMES in the file."
            faults.append(Fault(f"there is no theme {f.theme}", where, do))
        if f.direction not in (-1, 0, 1) or f.role not in ("reason", "context", "never_shown"):
            do = "direction is 1, 0 or -1; role is reason, context or never_shown."
            faults.append(Fault("the direction or role is not one there is", where, do))
    return faults


def try_out(own: OwnFeatures) -> None:
    """Compute each own tally and feature on one made-up child, and look up what their sentences name.

    Raises
    ------
    Faults
        With each that fails.
    """
    from datetime import date

    from features.catalogue import BY_NAME, TALLIES
    from features.counting.tallies import rows_of
    from features.matrix import counted
    from histories.reading.histories import Histories

    child: dict[str, list[dict[str, Any]]] = {t: [] for t in TABLES}
    child["pupils"] = [{"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801"}]
    child["enrolments"] = [{"pupil_id": "A", "urn": "1", "entry_date": "2018-09-04"}]
    histories, day = Histories.from_rows(child), [date(2025, 1, 13)]
    # The house's own tallies only, so that what fails is one of the file's and can be named.
    plain = {n: t for n, t in TALLIES.items() if n not in own.tallies}
    frame = counted(histories, day, tallies=plain)
    faults: list[Fault] = []
    for name, tally in own.tallies.items():
        rows = rows_of(histories, tally.table, nw.from_native(frame))
        grouped = rows.group_by("pupil_id")
        made = _tried(partial(_aggregated, grouped, tally, name), own, f"tally {name}", faults)
        if made is None:
            return _raise(faults)
    frame = counted(histories, day, tallies=TALLIES)
    columns = {*frame.columns, *BY_NAME}
    for f in own.features:
        _tried(partial(_selected, frame, f), own, f"feature {f.name}", faults)
        named = {n for text in (f.raises, f.lowers) for _, n, _, _ in string.Formatter().parse(text) if n is not None}
        if named - columns:
            do = "Put the name of a tally or of a feature between the braces."
            faults.append(
                Fault(
                    f"its sentence names {', '.join(sorted(named - columns))}, which is not there",
                    f"{own.file}, feature {f.name}",
                    do,
                )
            )
    return _raise(faults)


def _aggregated(grouped: Any, tally: Tally, name: str) -> Any:
    from features.counting.tallies import aggregate

    return grouped.agg(aggregate(tally).alias(name)).collect()


def _selected(frame: Any, feature: Feature) -> Any:
    return nw.from_native(frame).select(feature.expression().cast(nw.Float64))


def _tried(compute: Callable[[], Any], own: OwnFeatures, what: str, faults: list[Fault]) -> Any:
    try:
        return compute()
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        do = "Mend the expression: docs/own-features.md says what it may name."
        faults.append(Fault(f"its expression fails: {type(error).__name__}: {first}", f"{own.file}, {what}", do))
        return None


def _raise(faults: list[Fault]) -> None:
    if faults:
        raise Faults(faults)
