"""Name what a sender or a file calls a table or a column, without telling what could be a value."""

from __future__ import annotations

import re
from collections.abc import Iterable

from histories.io.quantities import quantity

MAX_NAMED = 10  # names in a message
HEADING = re.compile(r"(?!.*[0-9]{5})\W*[^\W\d].{0,59}")
PLAIN = re.compile(r"(?!.*[0-9]{5})[A-Za-z][A-Za-z0-9_]{0,39}")


def told_name(name: object, position: int) -> str:
    """Return a name that is a plain identifier, of anything else its position: a heading may be a pupil's value.

    Examples
    --------
    >>> told_name("shoe_size", 3), told_name("A801200001234", 3), told_name("Anna Smith", 3)
    ('shoe_size', 'the one at position 3', 'the one at position 3')
    """
    return name if isinstance(name, str) and PLAIN.fullmatch(name) else f"the one at position {position}"


def name_in_file(name: str, position: int) -> str:
    """Return a heading of a file; of one that could be a value, such as a key or a date, its position.

    Examples
    --------
    >>> name_in_file("Shoe size", 3), name_in_file("2012-03-04", 3)
    ('Shoe size', 'at position 3')
    """
    return name if HEADING.fullmatch(name) else f"at position {position}"


def undeclared_table(name: object, position: int) -> str:
    """Return the warning of a table that is not declared."""
    said = told_name(name, position).removeprefix("the one ")
    return f"the table {said} is not declared and is ignored"


def undeclared(where: str, names: Iterable[tuple[int, object]], count: int) -> str:
    """Return the warning of columns that are not declared.

    Parameters
    ----------
    where : str
    names : iterable of (int, object)
        Position and name of the first of them.
    count : int
        The number of all of them.
    """
    listed = [told_name(name, position) for position, name in names][:MAX_NAMED]
    more = ", …" if count > len(listed) else ""
    are = "is not declared and is ignored" if count == 1 else "are not declared and are ignored"
    return f"{where}: {quantity(count, 'column')} {are}: {', '.join(listed)}{more}"
