"""What notebooks and programs pass to ``import onroll``, checked where it comes in: histories, days, windows, rows of features.

Faults name places and columns, never a value.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from features import CohortRule, Definition
from histories.calendar import london_day
from histories.errors import Fault, Faults
from histories.reading.histories import Histories

if TYPE_CHECKING:
    import pandas as pd

Days = date | str | Sequence[date | str]
SHORTEST, LONGEST = 7, 730  # days of an outcome window, as for the verbs
ALIKE = 0.85  # how alike two names must be to be taken for one misspelt
NAMED = 5  # columns that a fault names
NUMBERS = {
    "floating",
    "integer",
    "mixed-integer-float",
    "boolean",
    "decimal",
    "empty",
}  # by pandas, of a column of objects


def as_opened(histories: Any) -> Histories:
    """Return opened histories.

    Raises
    ------
    Faults
        If they are something else, such as the folder's name.
    """
    if isinstance(histories, Histories):
        return histories
    do = "Open the folder first: histories = onroll.open_histories(FOLDER)."
    raise Faults(Fault("these are not opened histories", "histories", do))


def as_day(given: Any, name: str) -> date:
    """Return a day given as a date, a moment, a text such as ``2024-09-02``, or one of NumPy's or pandas' kinds.

    Raises
    ------
    Faults
        If it is no day.
    """
    value = given.astype("datetime64[D]").item() if isinstance(given, np.datetime64) else given
    try:
        value = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        value = None
    if isinstance(value, date) and value == value:  # pandas' NaT is a date, and equals nothing
        if not isinstance(value, datetime):
            return value
        return value.date() if value.tzinfo is None else london_day(value)
    raise Faults(Fault("this is not a day", name, "Write days like 2024-09-02, or pass dates."))


def as_days(given: Any, name: str = "as_of") -> list[date]:
    """Return one or several days; see ``as_day``.

    Raises
    ------
    Faults
        If something is no day, or there is none.
    """
    several = isinstance(given, Iterable) and not isinstance(given, str)
    days = [as_day(day, name) for day in given] if several else [as_day(given, name)]
    if not days:
        raise Faults(Fault("no day is given", name, "Give one or more days, like 2024-09-02."))
    return days


def as_horizon(given: Any) -> int:
    """Return the days of an outcome window.

    Raises
    ------
    Faults
        If it is no whole number from 7 to 730.
    """
    try:
        days = index(given)
    except TypeError:
        days = 0
    if SHORTEST <= days <= LONGEST:
        return days
    do = f"Give a whole number of days from {SHORTEST} to {LONGEST}, such as 120."
    raise Faults(Fault("this is not the length of an outcome window", "horizon", do))


def as_definition(given: Any) -> Definition:
    """Return a definition of missing, given itself, by name or by path."""
    return given if isinstance(given, Definition) else Definition.load(str(given))


def as_cohort(given: Any) -> CohortRule | None:
    """Return the rule of a cohort, given itself or by path; None is the usual one."""
    return CohortRule.load(Path(given)) if isinstance(given, str | Path) else given


def feature_values(features: Any, names: Sequence[str]) -> np.ndarray:
    """Return the values of some features, shape (rows, features); missing is NaN.

    Parameters
    ----------
    features : pandas.DataFrame
        Columns by name, in any order; others are ignored.
    names : sequence of str

    Raises
    ------
    Faults
        If this is no frame of pandas, or a column is missing, there twice, no number or infinite.
    """
    import pandas as pd

    if not isinstance(features, pd.DataFrame) or features.columns.nlevels > 1:
        do = (
            "Pass the frame of onroll.features, or rows of it (x.iloc[[0]]): columns are found by their names. "
            "Frames of Polars and Arrow have .to_pandas()."
        )
        raise Faults(Fault("these are not rows of features in a frame of pandas", "features", do))
    columns = _columns(features, names)
    values = np.column_stack([c.to_numpy(dtype="float64", na_value=np.nan) for c in columns])
    infinite = [name for name, so in zip(names, np.isinf(values).any(axis=0), strict=True) if so]
    if infinite:
        raise Faults(_fault("infinite", infinite, "A value that is not known is NaN."))
    return values


def _columns(features: pd.DataFrame, names: Sequence[str]) -> list[pd.Series]:
    """Return the columns of some features, if each is there once and holds numbers."""
    given = set(features.columns)
    lacking = [name for name in names if name not in given]
    if lacking:
        do = "Make the rows with onroll.features(histories, day); a value that is not known is NaN."
        raise Faults(_fault("missing", lacking, do + _misspelt(lacking, given.difference(names))))
    double = set(features.columns[features.columns.duplicated()]).intersection(names)
    if double:
        do = "Keep one of each: x.loc[:, ~x.columns.duplicated()]."
        raise Faults(_fault("there twice", [name for name in names if name in double], do))
    columns = [features[name] for name in names]
    no_number = [name for name, column in zip(names, columns, strict=True) if not _holds_numbers(column)]
    if no_number:
        raise Faults(
            _fault("no number", no_number, "Convert them: x.astype('float64'). A value that is not known is NaN.")
        )
    return columns


def _holds_numbers(column: pd.Series) -> bool:
    """Return whether a column holds numbers; one of objects also if each is a number or missing, as from JSON."""
    from pandas.api.types import infer_dtype, is_numeric_dtype

    return is_numeric_dtype(column) or (column.dtype == object and infer_dtype(column, skipna=True) in NUMBERS)


def _fault(what: str, names: Sequence[str], do: str) -> Fault:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return Fault(f"{what}: {', '.join(names[:NAMED])}{more}", "columns of features", do)


def _misspelt(lacking: Sequence[str], others: set[Any]) -> str:
    """Say which other columns may be missing ones by another name."""
    texts = sorted(other for other in others if isinstance(other, str))
    near = {name: difflib.get_close_matches(name, texts, 1, ALIKE) for name in lacking[:NAMED]}
    return "".join(f" Is {found[0]} meant for {name}?" for name, found in near.items() if found)
