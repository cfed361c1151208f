"""The file of settings for training: the booster's, in TOML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.toml import read_toml
from training.fitting.candidates import boosted


def load_config(file: Path | None) -> dict[str, Any]:
    """Read settings of the booster from TOML; what it does not say stays as by default.

    Raises
    ------
    Faults
        For bad TOML, unknown keys and wrong values.
    """
    if file is None:
        return dict(boosted.DEFAULTS)
    read = read_toml(file)
    faults = []
    for key, value in read.items():
        like = boosted.DEFAULTS.get(key)
        if like is None:
            faults.append(Fault("no such key", f"{file}, {key}", f"Use one of {', '.join(boosted.DEFAULTS)}."))
        elif (
            isinstance(like, bool) != isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not 0 <= value <= 1e6
        ):
            what = "the value has another type or is out of range"
            faults.append(Fault(what, f"{file}, {key}", f"Write it like {like!r}."))
    if faults:
        raise Faults(faults)
    return {**boosted.DEFAULTS, **read}
