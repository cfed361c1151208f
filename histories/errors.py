"""What is wrong, where, and what to do about it: collected first, said once, and never with a pupil's value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes
    ----------
    what : str
        What is wrong, without any value from the data.
    where : str
        The file, column and rows, the key of a file of settings, or the place in a request.
    do : str
        What the reader can do about it.
    code : str
        The rule's code where there is one (``H012``).
    """

    what: str
    where: str
    do: str
    code: str = ""

    def __str__(self) -> str:
        head = f"{self.code} " if self.code else ""
        return f"{head}{self.where}: {self.what}\n    {self.do}"


class Faults(Exception):
    """All that was found wrong; the run stops and writes nothing."""

    exit_code = 1

    def __init__(self, faults: Iterable[Fault] | Fault) -> None:
        self.faults = [faults] if isinstance(faults, Fault) else list(faults)
        super().__init__("\n".join(str(f) for f in self.faults))


class Usage(Faults):
    """The command was called in a way it cannot be; exit code 2."""

    exit_code = 2
