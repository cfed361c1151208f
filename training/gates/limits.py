"""The limits of the gates: those in ``limits.toml`` beside the gates, and over them those of an authority's own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
from histories.io.toml import read_toml

SHIPPED = Path(__file__).with_name("limits.toml")


def load_limits(own: Path | None = None) -> dict[str, dict[str, Any]]:
    """Return the limits of every gate that has some.

    Parameters
    ----------
    own : Path, optional
        TOML file; what it does not say stays as shipped. No gate can be left out by it.

    Raises
    ------
    Faults
        For bad TOML, unknown gates and limits, and values of another kind.
    """
    limits = read_toml(SHIPPED)
    faults = []
    for code, said in (read_toml(own) if own else {}).items():
        if code not in limits or not isinstance(said, dict):
            faults.append(
                Fault("no such gate, or it has no limits", f"{own}, {code}", f"Use some of {', '.join(limits)}.")
            )
            continue
        for name, value in said.items():
            like = limits[code].get(name)
            if like is None:
                faults.append(Fault("no such limit", f"{own}, {code}.{name}", f"Use one of {', '.join(limits[code])}."))
            elif not _alike(value, like):
                faults.append(
                    Fault("the value is of another kind", f"{own}, {code}.{name}", f"Write it like {like!r}.")
                )
            else:
                limits[code][name] = value
    if faults:
        raise Faults(faults)
    return limits


def _alike(value: Any, like: Any) -> bool:
    """Tell whether a value is of the kind of another; a pair stays a rising pair, and a list is never empty."""
    if isinstance(like, bool) or isinstance(value, bool):
        return type(value) is type(like)
    if isinstance(like, list):
        pair = isinstance(like[0], float)
        alike = isinstance(value, list) and bool(value) and all(_alike(v, like[0]) for v in value)
        return alike and (not pair or (len(value) == 2 and value[0] <= value[1]))
    if isinstance(like, (int, float)):
        return isinstance(value, (int, float)) and -1e9 < value < 1e9
    return isinstance(value, type(like))
