"""The report of an import, and the declaration of a format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.delimited import as_wanted
from histories.io.quantities import quantity

TABULAR = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")  # endings of tabular files

# The words of a remark on several rows, and of the same remark on one.
ONE = {"have": "has", "are": "is", "were": "was", "end": "ends", "name": "names", "wait": "waits"}
AFTER_ONE = {
    " they were ": " it was ",
    " they need ": " it needs ",
    " they wait ": " it waits ",
    " they begin ": " it begins ",
    " link them ": " link it ",
    " correct them ": " correct it ",
    " were ": " was ",
    " count as ": " counts as ",
}


def counted(count: int, what: str, noun: str = "row") -> str:
    """Return a remark on a number of things.

    Examples
    --------
    >>> counted(1, "have no date and were left out"), counted(2000, "wait for a link", "child")
    ('1 row has no date and was left out', '2,000 children wait for a link')
    """
    if count != 1:
        return f"{quantity(count, noun)} {what}"
    verb, _, rest = what.partition(" ")
    rest = f" {rest} "
    for several, one in AFTER_ONE.items():
        rest = rest.replace(several, one)
    return f"{quantity(1, noun)} {ONE.get(verb, verb)} {rest.strip()}"


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Files of which nothing can be used, while others of the format are imported."""

    files: tuple[Path, ...]
    fault: Fault


class Unusable(Faults):
    """Nothing of a return can be used yet, though no value is at fault: its pupils cannot be named, or a file of it is missing."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The beginning of a file, by which a format recognises it.

    Attributes
    ----------
    name : str
    rows : tuple of frozenset of str
        The cells of each of the first rows, normalised as headings; one of the rows may be the header.
    elements : frozenset of str
        The names of the first elements of XML.
    fields : frozenset of str
        The fields of the first record of JSON, as headings.
    root, collection : str
        The root element of XML and the collection named in its header.
    """

    name: str
    rows: tuple[frozenset[str], ...] = ()
    root: str = ""
    collection: str = ""
    elements: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()

    @property
    def stem(self) -> str:
        """The name without its ending, in lower case."""
        return self.name.rpartition(".")[0].lower()

    def has(self, *headings: str) -> bool:
        """Return whether one row has all the given headings."""
        return any(set(headings) <= set(as_wanted(sorted(row), headings)) for row in self.rows)


@dataclass(kw_only=True)
class Report:
    """The outcome of an import: rows written, files read, data not used, and files of which nothing can be used."""

    rows: dict[str, int] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        left_out = [{"file": f.name, "why": o.fault.what, "do": o.fault.do} for o in self.left_out for f in o.files]
        return {
            "rows": self.rows,
            "read": self.read,
            "absent": self.absent,
            "unused": self.unused,
            "notes": self.notes,
            "left_out": left_out,
        }

    def text(self) -> str:
        """Return the report as lines."""
        lines = [f"read {counted(n, f'of {name}')}" for name, n in self.read.items()]
        lines += [f"now {counted(n, f'in {name}')}" for name, n in self.rows.items()]
        lines += [f"absent: {a}" for a in self.absent] + [f"not used: {u}" for u in self.unused] + self.notes
        for left_out in self.left_out:
            names = ", ".join(f.name for f in left_out.files)
            lines += [f"left out {names}: {left_out.fault.what}", f"    {left_out.fault.do}"]
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
        Information that the return lacks.
    convert : callable
        Reads the files into a ``Staging``: adds their returns (``Staging.add_return``) with statements, writes notes to the
        report and collects faults in the staging.
    suffixes : tuple of str
        Endings of its files.
    brings_names : bool
        Whether it brings the names of pupils, to which children without a UPN are linked.
    verified : tuple of str
        What is known of the layout from where, and what is not verified; empty where a published layout or sample was read.
    mapping_keys : tuple of str
        The keys of a mapping (``--mapping``) that names its columns; empty if it takes none.
    recognises_by : callable, optional
        Reads a mapping and returns the function that says whether a file has its columns, for ``onroll import auto --mapping``.
    recognises : callable, optional
        Returns whether a file has the format, for ``onroll import auto``.
    """

    name: str
    title: str
    fills: tuple[str, ...]
    cannot_know: tuple[str, ...]
    convert: Callable[..., None]
    suffixes: tuple[str, ...] = TABULAR
    brings_names: bool = False
    verified: tuple[str, ...] = ()
    mapping_keys: tuple[str, ...] = ()
    recognises: Callable[[Contents], bool] | None = None
    recognises_by: Callable[[Path], Callable[[Contents], bool]] | None = None

    def describe(self) -> dict[str, Any]:
        """Return the description ready for JSON."""
        return {"title": self.title, "fills": list(self.fills), "cannot_know": list(self.cannot_know)}

    def text(self) -> str:
        """Return the description as lines."""
        return (
            f"{self.name}: {self.title}\n  fills: {', '.join(self.fills)}\n  cannot know: {'; '.join(self.cannot_know)}"
        )
