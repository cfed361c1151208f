"""Faults: what is wrong, where, and what to do about it. They are reported together and never hold a pupil's value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes
    ----------
    what : str
        What is wrong, without values from the data.
    where : str
        The file, column and rows, the key of a settings file, or the place in a request.
    do : str
        What to do about it.
    code : str
        The code of the rule (``H012``), if any.
    """

    what: str
    where: str
    do: str
    code: str = ""

    def __str__(self) -> str:
        head = f"{self.code} " if self.code else ""
        return f"{head}{self.where}: {self.what}\n    {self.do}"


class Faults(Exception):
    """All faults of a run, which stops and writes nothing."""

    exit_code = 1

    def __init__(self, faults: Iterable[Fault] | Fault) -> None:
        self.faults = [faults] if isinstance(faults, Fault) else list(faults)
        super().__init__("\n".join(str(f) for f in self.faults))


class Usage(Faults):
    """Invalid use of the command; exit code 2."""

    exit_code = 2
