"""Definitions of missing: small TOML files, loaded by name or path; each states its source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from histories.codes import code_set
from histories.errors import Fault, Faults
from histories.io.settings_file import SettingsFile
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
        School days on no roll after which an unknown destination counts; None if it never does.
    cases : bool
        Whether a case in ``cme`` that starts in the window counts.
    grounds : tuple of str
        Grounds of deletion that count whatever the destination.
    min_age, max_age : int
        Ages on the 31 August before the as-of date.
    compulsory_school_age : bool
        Whether a child who leaves when compulsory school age ends, or later, is over age and not missing.
    known_after_days : int
        Days after the window after which no outcome counts as known.
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
    compulsory_school_age: bool = False
    known_after_days: int = 60

    @property
    def counts_rolls(self) -> bool:
        """Whether a leaving can count, and not cases alone."""
        return bool(self.destinations or self.grounds or self.unknown_school_days is not None)

    @staticmethod
    def shipped() -> list[str]:
        """Return the names of the definitions shipped with onroll."""
        return sorted(f.stem for f in FOLDER.glob("*.toml"))

    @classmethod
    def load(cls, name_or_path: str = DEFAULT) -> Definition:
        """Read a definition by name or path.

        Raises
        ------
        Faults
            For a missing file, invalid TOML, unknown keys and invalid values, and for a file of one's own with the name of a shipped
            definition: scores, cards and lists keep the name only, and would be judged by the shipped one.
        """
        file = FOLDER / f"{name_or_path}.toml" if name_or_path in cls.shipped() else Path(name_or_path)
        if not file.is_file():
            do = f"Name a TOML file, or one of {', '.join(cls.shipped())}."
            raise Faults(Fault("there is no such definition", str(name_or_path), do))
        if file.stem in cls.shipped() and file.resolve().parent != FOLDER.resolve():
            do = "Give the file another name; what was made with it says its name only."
            raise Faults(Fault("a definition of onroll has this name", str(name_or_path), do))
        read = DefinitionFile.of(read_toml(file), file, "Correct the file.").model_dump(exclude_unset=True)
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in read.items()}
        return cls(name=file.stem, **values)


NO_AGES = "no age is between min_age and max_age: write the smaller as min_age"
Days = Annotated[int, Field(strict=True, ge=0, le=3650, description="a whole number from 0 to 3650")]
Text = Annotated[str, Field(strict=True, description="text; a definition says what it means and where it comes from")]


class DefinitionFile(SettingsFile):
    """The keys of a definition's TOML file; those without a default are required."""

    title: Text
    text: Text
    source: Text
    destinations: list[str] = Field(default=[], description=f"a list of {', '.join(code_set('destination'))}")
    unknown_school_days: Days | None = None
    cases: bool = Field(default=False, strict=True, description="true or false")
    grounds: list[str] = Field(default=[], strict=True, description="a list of texts")
    min_age: Days = 4
    max_age: Days = 15
    compulsory_school_age: bool = Field(default=False, strict=True, description="true or false")
    known_after_days: Days = 60

    @field_validator("destinations")
    @classmethod
    def known_destinations(cls, destinations: list[str]) -> list[str]:
        """Refuse destinations outside the code set."""
        if not set(destinations) <= set(code_set("destination")):
            raise ValueError("there is no such destination")
        return destinations

    @model_validator(mode="after")
    def counts_something(self) -> Self:
        """Refuse a definition that counts nothing, or nobody."""
        if not (self.destinations or self.grounds or self.cases or self.unknown_school_days is not None):
            raise ValueError("nothing counts as missing: set destinations, grounds, unknown_school_days or cases")
        if self.min_age > self.max_age:
            raise ValueError(NO_AGES)
        return self
