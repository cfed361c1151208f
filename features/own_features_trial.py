"""Load a user's own features: read the file, try every tally and feature on an invented child, and add them to the catalogue."""

from __future__ import annotations

import string
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import narwhals as nw

from features.catalogue import SHIPPED, Catalogue, catalogue, install
from features.counting.tallies import aggregate, rows_of
from features.feature import Feature, Tally
from features.matrix import counted
from features.own_features import read_own_features
from features.sentences import COMPARE
from histories.errors import Fault, Faults
from histories.reading.histories import Histories
from histories.tables import TABLES

DAY = date(2025, 1, 13)


def load_own_features(file: Path | None) -> Catalogue:
    """Add a user's own features to the catalogue of this process.

    Called once per process: by a verb, a worker of the service or a Spark executor. A file is read once per process.

    Parameters
    ----------
    file : Path or None
        The file named in the settings (``settings().features``); without one nothing happens.

    Returns
    -------
    Catalogue

    Raises
    ------
    Faults
        With every fault of the file; the catalogue is unchanged.
    """
    if file is None or catalogue().own_features.file == str(file):
        return catalogue()
    declared = read_own_features(file, SHIPPED.by_name, SHIPPED.tallies, SHIPPED.themes)
    extended = SHIPPED.with_own_features(declared)
    try_out(extended)
    install(extended)
    return extended


def try_out(extended: Catalogue) -> None:
    """Compute each of the user's tallies and features for one invented child, and look up the names in their sentences.

    Raises
    ------
    Faults
        With every one that fails.
    """
    declared = extended.own_features
    histories = _invented_child()
    # Shipped tallies only: a failure below then comes from the user's file and can be named.
    shipped = {n: t for n, t in extended.tallies.items() if n not in declared.tallies}
    snapshots = nw.from_native(counted(histories, [DAY], tallies=shipped))
    faults: list[Fault] = []
    for name, tally in declared.tallies.items():
        rows = rows_of(histories, tally.table, snapshots)
        _attempt(partial(_aggregated, rows, tally, name), f"{declared.file}, tally {name}", faults)
    if faults:
        raise Faults(faults)
    frame = counted(histories, [DAY], tallies=extended.tallies)
    columns = {*frame.columns, *extended.by_name}
    for f in declared.features:
        where = f"{declared.file}, feature {f.name}"
        _attempt(partial(_selected, frame, f), where, faults)
        unknown = _fields(f) - columns
        if unknown:
            do = "Put the name of a tally or of a feature between the braces."
            faults.append(Fault(f"its sentence names {', '.join(sorted(unknown))}, which does not exist", where, do))
    if faults:
        raise Faults(faults)


def _invented_child() -> Histories:
    child: dict[str, list[dict[str, Any]]] = {t: [] for t in TABLES}
    child["pupils"] = [{"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801"}]
    child["enrolments"] = [{"pupil_id": "A", "urn": "1", "entry_date": "2018-09-04"}]
    return Histories.from_rows(child)


def _aggregated(rows: Any, tally: Tally, name: str) -> Any:
    return rows.group_by("pupil_id").agg(aggregate(tally).alias(name)).collect()


def _selected(frame: Any, feature: Feature) -> Any:
    return nw.from_native(frame).select(feature.expression().cast(nw.Float64))


def _fields(feature: Feature) -> set[str]:
    """Return the names between the braces of a feature's sentences."""
    parsed = [part for sentence in feature.sentences for part in string.Formatter().parse(sentence.text)]
    compared = {
        other
        for sentence in feature.sentences
        for condition in sentence.when
        for other in condition
        if isinstance(other, str)
    }
    return {name for _, name, _, _ in parsed if name is not None} | (compared - set(COMPARE))


def _attempt(compute: Callable[[], Any], where: str, faults: list[Fault]) -> None:
    try:
        compute()
    except Exception as error:
        first_line = (str(error).splitlines() or [""])[0]
        do = "Correct the expression: docs/own-features.md says what it may name."
        faults.append(Fault(f"its expression fails: {type(error).__name__}: {first_line}", where, do))
