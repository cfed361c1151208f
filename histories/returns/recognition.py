"""Recognise the files of a mixed folder by their content: each format is asked in turn."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from histories.errors import Fault, Faults
from histories.io.delimited import heading, headings_of
from histories.io.toml import read_toml
from histories.io.workbook import first_rows, is_workbook
from histories.returns.files.json_records import records_of
from histories.returns.files.text_table import first_text_rows
from histories.returns.report import TABULAR, Contents, Return

READABLE = (*TABULAR, ".xml", ".ctf", ".json")
NAMES = 1  # the place in the order of formats up to which they bring the names of pupils
HEAD = 1 << 16  # the root and the collection of an XML file lie within so many bytes


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """A file, the formats that recognise it, the mapping of its columns, and the reason for leaving it out with the remedy."""

    file: Path
    formats: tuple[str, ...]
    mapping: Path | None = None
    why: str = ""
    do: str = ""


class Recogniser:
    """Asks every format, and every mapping of a user, whether it reads a file.

    Parameters
    ----------
    formats : mapping
        By name.
    mappings : iterable of Path

    Raises
    ------
    Faults
        If a mapping cannot be read.
    """

    def __init__(self, formats: Mapping[str, Return], mappings: Iterable[Path] = ()) -> None:
        self.formats = formats
        self.mappings: dict[Path, tuple[str, Callable[[Contents], bool]]] = {}
        faults: list[Fault] = []
        for file in dict.fromkeys(mappings):
            try:
                form = _mapped_format(file, formats)
                if form.recognises_by:
                    self.mappings[file] = form.name, form.recognises_by(file)
            except Faults as unreadable:
                faults += unreadable.faults
        if faults:
            raise Faults(faults)

    def recognise(self, file: Path) -> Recognised:
        """Return the formats that recognise a file. A mapping goes before formats with fixed columns."""
        if file.suffix.lower() not in READABLE:
            return Recognised(file=file, formats=(), why="the file is not CSV, XLSX, XML or JSON")
        try:
            contents = contents_of(file)
        except Faults as unreadable:
            return Recognised(file=file, formats=(), why=unreadable.faults[0].what)
        mapped = [(m, form) for m, (form, has_columns) in self.mappings.items() if has_columns(contents)]
        if len(mapped) > 1:
            names = ", ".join(str(m) for m, _ in mapped)
            forms = tuple(dict.fromkeys(form for _, form in mapped))
            return Recognised(file=file, formats=forms, why=f"several mappings have its columns: {names}")
        if mapped:
            return Recognised(file=file, formats=(mapped[0][1],), mapping=mapped[0][0])
        matches = tuple(name for name, form in self.formats.items() if form.recognises and form.recognises(contents))
        if len(matches) == 1:
            return Recognised(file=file, formats=matches)
        if matches:
            do = "Import it by itself: onroll import FORMAT FILE --into HISTORIES."
            return Recognised(file=file, formats=matches, why="several formats recognise it", do=do)
        return Recognised(file=file, formats=(), why="no format recognises its headings, root element or name")


def _mapped_format(file: Path, formats: Mapping[str, Return]) -> Return:
    """Return the format that a mapping belongs to: the one with most of its keys."""
    keys = set(read_toml(file))
    return max((f for f in formats.values() if f.mapping_keys), key=lambda f: len(keys & set(f.mapping_keys)))


def contents_of(file: Path) -> Contents:
    """Read the beginning of a file.

    Raises
    ------
    Faults
        If it is a damaged workbook or not text.
    """
    with file.open("rb") as data:
        head = data.read(HEAD)
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") or file.suffix.lower() in (".xml", ".ctf"):
        root, collection, elements = _root(head)
        return Contents(name=file.name, root=root, collection=collection, elements=elements)
    if file.suffix.lower() == ".json":
        record = next(records_of(file), None) or {}
        return Contents(name=file.name, fields=frozenset(heading(name) for name in record))
    if is_workbook(file):
        rows = [row for sheet in first_rows(file) for row in sheet]
    else:
        with tempfile.TemporaryDirectory(prefix="onroll-") as scratch:
            rows = first_text_rows(file, Path(scratch))
    return Contents(name=file.name, rows=tuple(frozenset(headings_of(row)) for row in rows))


def _root(head: bytes) -> tuple[str, str, frozenset[str]]:
    """Return the root element of XML and the text of its first ``Collection``; empty if absent."""
    path: list[str] = []
    seen: dict[str, str] = {}
    elements: set[str] = set()

    def start(name: str, _: dict[str, str]) -> None:
        path.append(name.rpartition(":")[2])
        seen.setdefault("root", path[0])
        elements.add(path[-1])

    def end(_: str) -> None:
        path.pop()

    def text(data: str) -> None:
        if path and path[-1] == "Collection":
            seen.setdefault("collection", data.strip())

    def refuse(*_: object) -> None:
        raise ValueError

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = refuse
    # Reading the whole file later reports its faults.
    with suppress(expat.ExpatError, ValueError, LookupError):
        parser.Parse(head, False)
    return seen.get("root", ""), seen.get("collection", ""), frozenset(elements)


def order_of(form: Return) -> tuple[int, str]:
    """Return the sort key of a format: schools and areas first, then names, rolls, and records about their pupils."""
    if set(form.fills) <= {"schools", "areas"}:
        return 0, form.name
    if form.brings_names:
        return NAMES, form.name
    return (2 if "pupils" in form.fills else 3), form.name
