"""The booster's settings, read from a TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from histories.io.settings_file import like
from histories.io.toml import read_toml
from training.fitting.candidates import boosted


def load_config(file: Path | None) -> dict[str, Any]:
    """Read the booster's settings; missing keys keep their defaults.

    Raises
    ------
    Faults
        For bad TOML, unknown keys and wrong values.
    """
    if file is None:
        return dict(boosted.DEFAULTS)
    settings = read_toml(file)
    like("BoosterSettings", boosted.DEFAULTS, low=0, high=1e6).of(settings, file, "Correct the file.")
    return {**boosted.DEFAULTS, **settings}
