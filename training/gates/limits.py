"""The limits of the gates: ``limits.toml`` beside the gates, overridden by an authority's own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from histories.io.settings_file import like
from histories.io.toml import read_toml

SHIPPED = Path(__file__).with_name("limits.toml")


def load_limits(file: Path | None = None) -> dict[str, dict[str, Any]]:
    """Return the limits by gate, for every gate that has limits.

    Parameters
    ----------
    file : Path, optional
        TOML file that overrides single limits. It cannot switch a gate off.

    Raises
    ------
    Faults
        For bad TOML, unknown gates and limits, and values of another kind.
    """
    shipped = read_toml(SHIPPED)
    if file is None:
        return shipped
    overrides = read_toml(file)
    like("Limits", shipped).of(overrides, file, "Correct the file.")
    return {code: {**limits, **overrides.get(code, {})} for code, limits in shipped.items()}
