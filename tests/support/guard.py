"""A guard of the threat model: in this process, or in a file of the tree."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Guard:
    """A guard: the test of its row in docs/threat-model.md, where it is (``module:attribute``), and what stands in its place."""

    test: str
    place: str
    instead: Any  # a value, or for a module alone a function that is given the module


@dataclass(frozen=True)
class FileGuard:
    """A guard that another process or another program reads: the test of its row, its file, and the text of it that is replaced."""

    test: str
    place: str  # a file of this tree
    text: str  # stands there once
    instead: str
