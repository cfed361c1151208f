"""Recognise the files of a mixed folder by their content: each format is asked in turn."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from histories.errors import Faults
from histories.io.delimited import heading, headings_of
from histories.io.workbook import first_rows, is_workbook
from histories.returns.files.json_records import records_of
from histories.returns.files.text_table import first_text_rows
from histories.returns.report import TABULAR, Contents, Return

HEAD = 1 << 16  # the root and the collection of an XML file lie within so many bytes


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """A file, the formats that recognise it, and the reason for leaving it out."""

    file: Path
    formats: tuple[str, ...]
    why: str = ""


def recognise(file: Path, formats: Mapping[str, Return]) -> Recognised:
    """Return the formats that recognise a file."""
    if file.suffix.lower() not in (*TABULAR, ".xml", ".ctf", ".json"):
        return Recognised(file=file, formats=(), why="the file is not CSV, XLSX, XML or JSON")
    try:
        contents = contents_of(file)
    except Faults as unreadable:
        return Recognised(file=file, formats=(), why=unreadable.faults[0].what)
    matches = tuple(name for name, form in formats.items() if form.recognises and form.recognises(contents))
    why = ""
    if not matches:
        why = "no format recognises its headings, root element or name"
    elif len(matches) > 1:
        why = "several formats recognise it"
    return Recognised(file=file, formats=matches, why=why)


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
    """Return the sort key of a format: schools and areas first, then rolls, then records about their pupils."""
    if set(form.fills) <= {"schools", "areas"}:
        return 0, form.name
    return (1 if "pupils" in form.fills else 2), form.name
