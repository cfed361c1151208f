"""A gate: a declared rule that a version must meet. Missing or damaged input fails it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from histories.errors import Fault


class Missing(Exception):
    """A part of the dossier is absent, empty or of another kind."""


class Dossier:
    """The record of a version that gates read, through ``take()`` only, which raises ``Missing``.

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
            If it, or the part that contains it, is absent, null or empty.
        """
        at: Any = self.parts
        for key in path:
            at = at.get(key) if isinstance(at, Mapping) else None
        if at is None or (isinstance(at, (str, Mapping, list, tuple)) and not at):
            raise Missing(", ".join(path))
        return at

    def number(self, *path: str) -> float:
        """Return a part that must be a finite number; raises ``Missing``."""
        value = self.take(*path)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise Missing(", ".join(path))
        return float(value)

    def interval(self, *path: str) -> tuple[float, float]:
        """Return a part that must be a pair of finite numbers, the lower first; raises ``Missing``."""
        value = self.take(*path)
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise Missing(", ".join(path))
        low, high = (Dossier({"end": end}).number("end") for end in value)
        if low > high:
            raise Missing(", ".join(path))
        return low, high

    def figure(self, *path: str) -> Any:
        """Return the path of one of this model's figures; raises ``Missing``."""
        return ("manifest", "metrics", str(self.take("manifest", "candidate")), *path)


@dataclass(frozen=True)
class GateFinding:
    """The result of a gate's check.

    Attributes
    ----------
    holds : bool
    measured, limit : str
        What was measured and what is required, each with its unit.
    """

    holds: bool
    measured: str
    limit: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A gate's result for one version, as logged."""

    code: str
    title: str
    passed: bool
    measured: str
    limit: str
    do: str

    def fault(self, where: str) -> Fault:
        """Return the fault of a failed gate."""
        return Fault(f"{self.title}: {self.measured}; required: {self.limit}", where, self.do, self.code)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A declared rule that a version must meet before it serves.

    Attributes
    ----------
    code : str
        Stable, such as ``G001``; the file is named after it, and its limits in ``limits.toml``.
    title : str
        What must hold.
    reason : str
        Why it matters.
    do : str
        What to do when it fails.
    check : callable
        Takes a ``Dossier`` and the gate's limits; returns a ``GateFinding``, or raises ``Missing``.
    """

    code: str
    title: str
    reason: str
    do: str
    check: Callable[[Dossier, Mapping[str, Any]], GateFinding]

    def verdict(self, dossier: Dossier, limits: Mapping[str, Any]) -> Verdict:
        """Return the verdict; missing or unreadable input, or a missing limit, fails."""
        try:
            required = Dossier(limits)
            finding = self.check(dossier, {name: required.take(name) for name in limits})
        except Missing as missing:
            finding = GateFinding(False, f"not measured: {missing} is missing", "a measurement")
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, IndexError) as error:
            finding = GateFinding(
                False, f"not measured: its input is damaged ({type(error).__name__})", "a measurement"
            )
        return Verdict(
            code=self.code,
            title=self.title,
            passed=finding.holds,
            measured=finding.measured,
            limit=finding.limit,
            do=self.do,
        )


def check_all(
    gates: tuple[Gate, ...], parts: Mapping[str, Any], limits: Mapping[str, Mapping[str, Any]]
) -> list[Verdict]:
    """Return the verdict of every gate, in the order of their codes."""
    return [gate.verdict(Dossier(parts), limits.get(gate.code, {})) for gate in gates]
