"""What an authority sets for its pages: the file that ONROLL_PAGES names, over the defaults that are shipped."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from histories.faults import Fault, Faults
from histories.toml import read_toml

DEFAULTS = Path(__file__).with_name("pages.toml")
Words = dict[str, str]


class PageSettings(BaseModel):
    """Everything in the file; the lists map a code, which is kept, to its words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    language: str = Field(pattern=r"^[a-z]{2}$")
    idle_minutes: int = Field(ge=1, le=240)
    per_week: int = Field(ge=1, le=1000)
    outcomes: Words = Field(min_length=1)
    actions: Words = Field(min_length=1)
    not_for_this_child: Words = Field(min_length=1)
    closing: Words = Field(min_length=1)

    @classmethod
    def load(cls, file: Path | None) -> PageSettings:
        """Read a file over the defaults; a list that is given replaces the whole list.

        Raises
        ------
        Faults
            With everything that is wrong in it.
        """
        given = read_toml(file) if file else {}
        try:
            return cls.model_validate({**read_toml(DEFAULTS), **given})
        except ValidationError as error:
            raise Faults(
                Fault(
                    e["msg"], f"{file}, {'.'.join(map(str, e['loc']))}", f"See {DEFAULTS.name} for what may be there."
                )
                for e in error.errors()
            ) from None
