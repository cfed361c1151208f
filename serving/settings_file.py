"""Settings that come from a file: what is not declared is refused, and what is wrong is said without its value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from histories.errors import Fault, Faults


class SettingsFile(BaseModel):
    """Refuses unknown keys and never repeats a value."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)

    @classmethod
    def of(cls, values: Mapping[str, Any], file: Path | None, do: str) -> Self:
        """Check what a file gave.

        Parameters
        ----------
        values : mapping
        file : Path or None
            Where they are from, for the faults.
        do : str
            What helps.

        Raises
        ------
        Faults
            With everything that is wrong in it.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            raise Faults(Fault(e["msg"], f"{file}, {'.'.join(map(str, e['loc']))}", do) for e in found) from None
