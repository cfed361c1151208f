"""Scenarios: TOML files of population parameters; every key is checked against the default scenario."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.toml import read_toml

FOLDER = Path(__file__).with_name("scenarios")


def shipped() -> list[str]:
    """List the scenarios that ship with onroll."""
    return sorted(f.stem for f in FOLDER.glob("*.toml"))


def load_scenario(name_or_path: str = "default") -> dict[str, Any]:
    """Read a scenario by name or path; keys it omits keep their defaults.

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
    given = read_toml(file)
    faults = list(_faults(given, default, str(file)))
    if faults:
        raise Faults(faults)
    return {k: {**v, **given.get(k, {})} if isinstance(v, dict) else given.get(k, v) for k, v in default.items()}


def _faults(given: dict[str, Any], default: dict[str, Any], where: str) -> Any:
    for key, value in given.items():
        if key not in default:
            yield Fault("no such key", f"{where}, {key}", f"Use one of {', '.join(default)}.")
        elif isinstance(default[key], dict):
            if isinstance(value, dict):
                yield from _faults(value, default[key], f"{where}, {key}")
            else:
                yield Fault("this is not a table", f"{where}, {key}", "Write it as a TOML table.")
        elif not _fits(value, default[key]):
            yield Fault(
                "the value has the wrong type or is out of range",
                f"{where}, {key}",
                f"Write it like the default, {default[key]!r}.",
            )


def _fits(value: Any, like: Any) -> bool:
    if isinstance(like, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(like, bool)
    if isinstance(like, (int, float)):
        return isinstance(value, (int, float)) and 0 <= value < 1e6
    if isinstance(like, date):
        return isinstance(value, date)
    return isinstance(value, type(like))
