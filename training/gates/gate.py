"""What a gate is, what it finds, and why it cannot be passed by taking away what it reads."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from histories.errors import Fault


class Missing(Exception):
    """A part of the dossier is not there, or is empty or of another kind."""


class Dossier:
    """All that is known of a version, as one mapping that can be taken from only by saying what is needed.

    Parameters
    ----------
    parts : mapping
        JSON; see ``training.release.promotion.dossier``.
    """

    def __init__(self, parts: Mapping[str, Any]) -> None:
        self.parts = parts

    def take(self, *path: str) -> Any:
        """Return a part.

        Raises
        ------
        Missing
            When it, or what holds it, is absent, null or empty.
        """
        at: Any = self.parts
        for key in path:
            at = at.get(key) if isinstance(at, Mapping) else None
        if at is None or (isinstance(at, (str, Mapping, list, tuple)) and not at):
            raise Missing(", ".join(path))
        return at

    def number(self, *path: str) -> float:
        """Return a part that has to be a finite number; raises ``Missing``."""
        found = self.take(*path)
        if isinstance(found, bool) or not isinstance(found, (int, float)) or not math.isfinite(found):
            raise Missing(", ".join(path))
        return float(found)

    def interval(self, *path: str) -> tuple[float, float]:
        """Return a part that has to be a pair of finite numbers, the lower first; raises ``Missing``."""
        found = self.take(*path)
        if not isinstance(found, (list, tuple)) or len(found) != 2:
            raise Missing(", ".join(path))
        low, high = (Dossier({"end": end}).number("end") for end in found)
        if low > high:
            raise Missing(", ".join(path))
        return low, high

    def figure(self, *path: str) -> Any:
        """Return the path of a figure of this model among those of all candidates; raises ``Missing``."""
        return ("manifest", "metrics", str(self.take("manifest", "candidate")), *path)


@dataclass(frozen=True)
class GateFinding:
    """What a gate found.

    Attributes
    ----------
    holds : bool
    measured, limit : str
        What was measured and what is asked, each with its unit.
    """

    holds: bool
    measured: str
    limit: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A gate's answer for one version, ready for the log."""

    code: str
    title: str
    passed: bool
    measured: str
    limit: str
    do: str

    def fault(self, where: str) -> Fault:
        """Return the fault of a gate that was not passed."""
        return Fault(f"{self.title}: {self.measured}; asked: {self.limit}", where, self.do, self.code)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A declared rule that a version has to meet before it serves.

    Attributes
    ----------
    code : str
        Stable, such as ``G001``; the file is named after it, and its limits in ``limits.toml``.
    title : str
        What has to hold.
    reason : str
        Why it matters.
    do : str
        What to do when it does not hold.
    check : callable
        Takes a ``Dossier`` and the gate's limits; returns a ``GateFinding``, or raises ``Missing``.
    """

    code: str
    title: str
    reason: str
    do: str
    check: Callable[[Dossier, Mapping[str, Any]], GateFinding]

    def verdict(self, dossier: Dossier, limits: Mapping[str, Any]) -> Verdict:
        """Return the verdict; what is missing or cannot be read, limits too, has not passed."""
        try:
            required = Dossier(limits)
            found = self.check(dossier, {name: required.take(name) for name in limits})
        except Missing as missing:
            found = GateFinding(False, f"nothing, since this is missing: {missing}", "that it was measured")
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, IndexError) as error:
            found = GateFinding(
                False, f"nothing, since what it reads is damaged ({type(error).__name__})", "that it was measured"
            )
        return Verdict(
            code=self.code, title=self.title, passed=found.holds, measured=found.measured, limit=found.limit, do=self.do
        )


def check_all(
    gates: tuple[Gate, ...], parts: Mapping[str, Any], limits: Mapping[str, Mapping[str, Any]]
) -> list[Verdict]:
    """Return the verdict of every gate, in the order of their codes."""
    return [gate.verdict(Dossier(parts), limits.get(gate.code, {})) for gate in gates]
