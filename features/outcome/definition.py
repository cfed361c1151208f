"""Definitions of missing: small TOML files, by name or by path, each with its source written in it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from histories.codes import code_set
from histories.errors import Fault, Faults
from histories.io.toml import read_toml

FOLDER = Path(__file__).with_name("definition_files")
DEFAULT = "commissioner_or_unknown"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """What counts as going missing.

    Attributes
    ----------
    destinations : tuple of str
        Last known destinations that count.
    unknown_school_days : int or None
        School days on no roll after which an unknown destination counts; None when it never does.
    cases : bool
        Whether a case in ``cme`` that begins in the window counts.
    grounds : tuple of str
        Grounds of deletion that count whatever the destination.
    min_age, max_age : int
        Ages on the 31 August before the as-of date.
    known_after_days : int
        Days after the window until the absence of the outcome is known.
    """

    name: str
    title: str
    text: str
    source: str
    destinations: tuple[str, ...] = ()
    unknown_school_days: int | None = None
    cases: bool = False
    grounds: tuple[str, ...] = ()
    min_age: int = 4
    max_age: int = 15
    known_after_days: int = 60

    @staticmethod
    def shipped() -> list[str]:
        """Name the definitions that come with onroll."""
        return sorted(f.stem for f in FOLDER.glob("*.toml"))

    @classmethod
    def load(cls, name_or_path: str = DEFAULT) -> Definition:
        """Read a definition by name or path.

        Raises
        ------
        Faults
            For a missing file, bad TOML, unknown keys, and values that are not what they should be.
        """
        file = FOLDER / f"{name_or_path}.toml" if name_or_path in cls.shipped() else Path(name_or_path)
        if not file.is_file():
            do = f"Name a TOML file, or one of {', '.join(cls.shipped())}."
            raise Faults(Fault("there is no such definition", str(name_or_path), do))
        read = read_toml(file)
        faults = list(_faults(read, str(file)))
        if faults:
            raise Faults(faults)
        plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in read.items()}
        return cls(name=file.stem, **plain)


def _faults(read: dict[str, Any], where: str) -> Any:
    kinds: dict[str, type] = {
        "title": str,
        "text": str,
        "source": str,
        "cases": bool,
        "destinations": list,
        "grounds": list,
    }
    allowed = [f.name for f in fields(Definition) if f.name != "name"]
    for needed in ("title", "text", "source"):
        if needed not in read:
            yield Fault(
                "the key is missing",
                f"{where}, {needed}",
                "Add it; a definition says what it means and where it comes from.",
            )
    key: str
    value: Any
    for key, value in read.items():
        kind: Any = kinds.get(key, int)
        if key not in allowed:
            yield Fault("no such key", f"{where}, {key}", f"Use one of {', '.join(allowed)}.")
        elif not isinstance(value, kind) or (kind is int and (isinstance(value, bool) or not 0 <= value <= 3650)):
            yield Fault(
                f"the value is not {'a number from 0 to 3650' if kind is int else kind.__name__}",
                f"{where}, {key}",
                "Mend it.",
            )
        elif kind is list and not all(isinstance(v, str) for v in value):
            yield Fault("the list holds something other than text", f"{where}, {key}", "Write a list of texts.")
        elif key == "destinations" and not set(value) <= set(code_set("destination")):
            yield Fault("no such destination", f"{where}, {key}", f"Use some of {', '.join(code_set('destination'))}.")
    if (
        not read.get("destinations")
        and not read.get("cases")
        and not read.get("grounds")
        and "unknown_school_days" not in read
    ):
        yield Fault("nothing counts as missing", where, "Set destinations, grounds, unknown_school_days or cases.")
