"""Stream the XML of returns through a hardened parser: no document types or entities; limits on size, depth, text and time.

The parser holds one unit (a child, a pupil) at a time, so a return may be larger than memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.parsers import expat

from histories.errors import Fault, Faults

MAX_BYTES = 4 << 30
MAX_DEPTH = 24
MAX_TEXT = 10_000  # characters in one element
MAX_ELEMENTS = 20_000  # in one unit
MAX_LOOSE = 200_000  # outside of units: what leads to them, and the header
MAX_TAG = 4 << 20  # bytes of one tag or comment, which the parser holds whole
MAX_SECONDS = 1800
PIECE = 1 << 20
AGAIN = "Export it again from the source system."
Node = dict[str, list[Any]]
Take = Callable[[Node, int], None]


class _Refused(Exception):
    """The reason why a file is refused."""


class _Reader:
    """Builds units one by one as nested dictionaries of lists, and passes each on with its line number."""

    def __init__(self, root: str, takes: Mapping[str, Take]) -> None:
        self.root, self.takes = root, takes
        self.unit = ""
        self.path: list[str] = []
        self.nodes: list[Node] = []
        self.text: list[str] = []
        self.length = self.elements = self.loose = self.line = self.units = 0
        self.unread = 0  # bytes since the parser last told something
        self.header: dict[str, str] = {}
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.data
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._doctype
        self.parser.buffer_text = True

    def _doctype(self, *_: Any) -> None:
        raise _Refused("it declares a document type or entities, which no return needs")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle the start of an element."""
        self.unread = 0
        if sum(map(len, attributes.values())) > MAX_TEXT:
            raise _Refused(f"an element has more than {MAX_TEXT} characters of attributes")
        name = name.rpartition(":")[2]
        if not self.path and name != self.root:
            raise _Refused(f"its root element is not {self.root}")
        self.path.append(name)
        if len(self.path) > MAX_DEPTH:
            raise _Refused(f"its elements are nested more than {MAX_DEPTH} deep")
        self.text, self.length = [], 0
        if name in self.takes and not self.nodes:
            self.unit, self.nodes, self.elements, self.line = name, [{}], 0, self.parser.CurrentLineNumber
        elif self.nodes:
            self.elements += 1
            if self.elements > MAX_ELEMENTS:
                raise _Refused(f"one {self.unit} holds more than {MAX_ELEMENTS} elements")
            self.nodes.append({})
        else:
            self.loose += 1
            if self.loose > MAX_LOOSE:
                raise _Refused(f"more than {MAX_LOOSE} elements stand outside of children and pupils")

    def data(self, text: str) -> None:
        """Handle text."""
        self.unread = 0
        self.length += len(text)
        if self.length > MAX_TEXT:
            raise _Refused(f"an element holds more than {MAX_TEXT} characters")
        self.text.append(text)

    def end(self, name: str) -> None:
        """Handle the end of an element."""
        self.unread = 0
        name = self.path.pop()
        text = "".join(self.text).strip()
        self.text, self.length = [], 0
        if not self.nodes:
            if text:
                self.header.setdefault(name, text)
                self.header.setdefault("/".join([*self.path[-1:], name]), text)
            return
        node = self.nodes.pop()
        if self.nodes:
            self.nodes[-1].setdefault(name, []).append(node or text)
        else:
            self.units += 1
            self.takes[self.unit](node, self.line)


def read_units(file: Path, root: str, takes: Mapping[str, Take]) -> tuple[int, dict[str, str]]:
    """Read a file unit by unit.

    Parameters
    ----------
    root : str
        Name of the root element.
    takes : mapping
        Name of each repeated element to a function that is called with each unit (nested dictionaries of lists, leaves as text)
        and the line on which it begins.

    Returns
    -------
    int, dict
        Number of units, and the leaves outside of units (the header) by name and by ``parent/name``.

    Raises
    ------
    Faults
        If the file is damaged, has another root element, or is refused.
    """
    reader, began, size = _Reader(root, takes), time.monotonic(), 0
    try:
        with file.open("rb") as data:
            first = data.read(4)
            if first[:2] in (b"PK", b"\x1f\x8b") or first[:3] == b"BZh":
                raise _Refused("it is an archive; unpack the XML file first")
            data.seek(0)
            while piece := data.read(PIECE):
                size += len(piece)
                if size > MAX_BYTES:
                    raise _Refused(f"it is larger than {MAX_BYTES >> 30} GiB")
                if time.monotonic() - began > MAX_SECONDS:
                    raise _Refused(f"reading it takes more than {MAX_SECONDS // 60} minutes")
                reader.unread += len(piece)
                reader.parser.Parse(piece, False)
                if reader.unread > MAX_TAG:
                    raise _Refused(f"a tag or comment is longer than {MAX_TAG >> 20} MB")
            reader.parser.Parse(b"", True)
    except _Refused as refused:
        where = f"{file}, line {max(reader.parser.CurrentLineNumber, 1)}"
        raise Faults(Fault(f"the file is refused: {refused}", where, AGAIN)) from None
    except (expat.ExpatError, LookupError, ValueError):
        what = "the file is not well-formed XML: cut off, damaged or in another encoding"
        raise Faults(Fault(what, f"{file}, line {max(reader.parser.CurrentLineNumber, 1)}", AGAIN)) from None
    return reader.units, reader.header


def leaf(node: Node, name: str) -> str | None:
    """Return the first text of an element under a node, or None."""
    for value in node.get(name, ()):
        if isinstance(value, str) and value:
            return value
    return None


def under(node: Node, *path: str) -> list[Node]:
    """Return the nodes at a path under a node."""
    nodes = [node]
    for name in path:
        nodes = [child for n in nodes for child in n.get(name, ()) if isinstance(child, dict)]
    return nodes
