"""Scenarios: TOML files of population parameters; the default scenario declares every key and its type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.settings_file import like
from histories.io.toml import read_toml

FOLDER = Path(__file__).with_name("scenarios")


def shipped() -> list[str]:
    """List the scenarios that ship with onroll."""
    return sorted(f.stem for f in FOLDER.glob("*.toml"))


def load_scenario(name_or_path: str = "default") -> dict[str, Any]:
    """Read a scenario by name or path; keys it omits keep their defaults, and files are looked for beside it.

    Raises
    ------
    Faults
        For a missing file, invalid TOML, unknown keys and values of the wrong type.
    """
    default = read_toml(FOLDER / "default.toml")
    file = FOLDER / f"{name_or_path}.toml" if name_or_path in shipped() else Path(name_or_path)
    if not file.is_file():
        do = f"Name a TOML file, or one of {', '.join(shipped())}."
        raise Faults(Fault("there is no such scenario", str(name_or_path), do))
    declared = like("Scenario", default, low=0, high=1e6)
    scenario = declared.of(read_toml(file), file, "Correct the file.").model_dump()
    for key in ("ranking", "actions"):
        if scenario["help"][key]:
            scenario["help"][key] = str(file.parent / scenario["help"][key])
    return scenario
