"""The booster's settings, read from a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
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
    return dict(boosted.DEFAULTS) if file is None else completed(read_toml(file), file, "Correct the file.")


def completed(settings: Mapping[str, Any], place: Path, remedy: str) -> dict[str, Any]:
    """Return settings of the booster with the defaults for those that are not given.

    Raises
    ------
    Faults
        For unknown keys and wrong values.
    """
    like("BoosterSettings", boosted.DEFAULTS, low=0, high=1e6).of(dict(settings), place, remedy)
    return {**boosted.DEFAULTS, **settings}
