"""What an import tells the user, and what a format of a return is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TABULAR = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")  # how files of tables end


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The beginning of a file, by which a format recognises it.

    Attributes
    ----------
    name : str
    rows : tuple of frozenset of str
        The cells of each of the first rows of a table, as headings; one of them may be the header.
    root, collection : str
        The root element of XML and what its header says the collection is.
    """

    name: str
    rows: tuple[frozenset[str], ...] = ()
    root: str = ""
    collection: str = ""

    @property
    def stem(self) -> str:
        """The name without its ending, in lower case."""
        return self.name.rpartition(".")[0].lower()

    def has(self, *headings: str) -> bool:
        """Tell whether one row holds all of some headings."""
        return any(set(headings) <= row for row in self.rows)


@dataclass(kw_only=True)
class Report:
    """What an import did: rows written, files read, and what was not used."""

    rows: dict[str, int] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {"rows": self.rows, "read": self.read, "absent": self.absent, "unused": self.unused, "notes": self.notes}

    def text(self) -> str:
        """Return the report as lines."""
        lines = [f"read {n:,} rows of {name}" for name, n in self.read.items()]
        lines += [f"now {n:,} rows in {name}" for name, n in self.rows.items()]
        lines += [f"absent: {a}" for a in self.absent] + [f"not used: {u}" for u in self.unused] + self.notes
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Return:
    """A format of a return.

    Attributes
    ----------
    name, title : str
    fills : tuple of str
        The tables it fills.
    cannot_know : tuple of str
        What the return does not carry.
    convert : callable
        Reads the files into a ``Staging``: adds the returns that it finds (``Staging.add_return``) with their statements, and
        keeps remarks in the report and what is wrong in the staging.
    suffixes : tuple of str
        How its files end.
    mappable : bool
        Whether ``--mapping`` names its columns.
    recognises : callable, optional
        Tells whether a file is of the format, for ``onroll import auto``.
    """

    name: str
    title: str
    fills: tuple[str, ...]
    cannot_know: tuple[str, ...]
    convert: Callable[..., None]
    suffixes: tuple[str, ...] = TABULAR
    mappable: bool = False
    recognises: Callable[[Contents], bool] | None = None

    def describe(self) -> dict[str, Any]:
        """Return the description ready for JSON."""
        return {"title": self.title, "fills": list(self.fills), "cannot_know": list(self.cannot_know)}

    def text(self) -> str:
        """Return the description as lines."""
        return (
            f"{self.name}: {self.title}\n  fills: {', '.join(self.fills)}\n  cannot know: {'; '.join(self.cannot_know)}"
        )
