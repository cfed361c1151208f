"""What an outcome is judged by, fixed at the registration: whoever could choose the definition at the analysis could choose the result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from features.outcome.cohort import CohortRule
from features.outcome.definition import Definition
from histories.errors import Fault, Faults
from serving.pages.settings import PageSettings

WORDS = ("name", "title", "text", "source")  # of a definition: they decide nothing
# What decides each outcome of a trial; a random check is judged by all.
USES = {"missing": ("definition", "cohort"), "contact": ("no_conversation",), "attendance": ()}
OF_CHECKS = ("definition", "cohort", "no_conversation")
NAMED = {
    "definition": ("the definition of missing", "Name the same file as at the registration (--definition)."),
    "cohort": ("the cohort's rule", "Name the same file as at the registration (--cohort)."),
    "no_conversation": (
        "the codes of contacts in which nobody was spoken to",
        "Let ONROLL_PAGES name pages.toml as it was at the registration (no_conversation).",
    ),
}


@dataclass(frozen=True, kw_only=True)
class OutcomeRules:
    """By what outcomes are judged.

    Attributes
    ----------
    definitions : mapping
        Definitions by name, beside those shipped with onroll.
    cohort : CohortRule
        That of the list.
    no_conversation : tuple of str
        Codes of contacts in which nobody was spoken to.
    """

    definitions: Mapping[str, Definition] = field(default_factory=dict)
    cohort: CohortRule = field(default_factory=CohortRule)
    no_conversation: tuple[str, ...] = ()

    @classmethod
    def load(cls, definitions: Iterable[str], cohort: Path | None, pages: PageSettings) -> OutcomeRules:
        """Read the files that a command names, and the codes of pages."""
        own = {d.name: d for d in map(Definition.load, definitions)}
        return cls(definitions=own, cohort=CohortRule.load(cohort), no_conversation=tuple(pages.no_conversation))

    def definition(self, name: str, file: str) -> Definition:
        """Return the definition of a list.

        Raises
        ------
        Faults
            If it is not shipped and its file was not named.
        """
        found = self.definitions.get(name)
        if found is None and name not in Definition.shipped():
            do = "Name its file with --definition."
            raise Faults(Fault("the list's definition of missing is not at hand", file, do))
        return found or Definition.load(name)

    def digests(self, name: str, uses: Collection[str], file: str) -> dict[str, str]:
        """Return the SHA-256 of each of ``uses``, for a list of the definition ``name``; words that decide nothing have no part in it."""
        values: dict[str, Any] = {"cohort": asdict(self.cohort), "no_conversation": sorted(self.no_conversation)}
        if "definition" in uses:
            decides = asdict(self.definition(name, file))
            values["definition"] = {key: value for key, value in decides.items() if key not in WORDS}
        return {use: hashlib.sha256(json.dumps(values[use], sort_keys=True).encode()).hexdigest() for use in uses}

    def must_be(self, registered: Mapping[str, str], name: str, file: str) -> None:
        """Raise ``Faults`` for each rule that is not the registered one; a registration of before onroll kept them has none."""
        now = self.digests(name, registered.keys(), file)
        changed = [use for use in registered if now[use] != registered[use]]
        if changed:
            raise Faults(
                Fault(f"{NAMED[use][0]}: another than the plan was registered with", file, NAMED[use][1])
                for use in changed
            )
