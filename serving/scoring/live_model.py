"""Holds the model that serves: found by alias, checked, tried, and swapped whole when the alias moves."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from features.posted import open_rows
from histories.errors import Fault, Faults
from serving.telemetry import metrics
from training.bundle import bundle_digest
from training.release.resolve import aliases, resolve
from training.risk_model import RiskModel

log = logging.getLogger("onroll.model")
LOOK_EVERY = 1.0  # seconds between two looks at the alias
TRY_AGAIN = 30.0  # seconds until a refused version is tried again: what was half copied may be whole then
A_PUPIL = {
    "pupils": [{"pupil_id": "smoke", "date_of_birth": "2014-05-01", "authority": "000"}],
    "enrolments": [{"pupil_id": "smoke", "urn": "000000", "entry_date": "2018-09-04"}],
}


@dataclass(frozen=True)
class RefusedModel:
    """A version that the alias names and that does not serve, and why."""

    version: str
    why: str


class LiveModel:
    """The current model, or none; each process holds its own and looks for itself.

    Parameters
    ----------
    model : str
        ``name@alias`` or a folder.
    releases : Path
    needed : bool
        Whether somebody waits for it; an alias that nobody has is no fault of a model that may be absent.
    taken : callable
        Called when a version has been taken; the version serves whatever becomes of the call.

    Attributes
    ----------
    current : RiskModel or None
        Take it once for a whole request: it is replaced, never changed.
    refused : RefusedModel or None
    """

    def __init__(
        self, model: str, releases: Path, *, needed: bool = True, taken: Callable[[], object] = lambda: None
    ) -> None:
        self.name, self.releases, self.needed, self.taken = model, releases, needed, taken
        self.current: RiskModel | None = None
        self.refused: RefusedModel | None = None
        self._taken = self._seen = "not looked yet"
        self._tried = 0.0
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def model(self) -> RiskModel | None:
        """Return the model to use for a whole request."""
        if self._seen == "not looked yet":
            self.refresh()
        return self.current

    def watch(self) -> None:
        """Look for another version every second until ``stop``, in a thread of its own."""
        threading.Thread(target=self._watch, name="model", daemon=True).start()

    def stop(self) -> None:
        """End the watch."""
        self._ended.set()

    def _watch(self) -> None:
        self.refresh()
        while not self._ended.wait(LOOK_EVERY):
            self.refresh()

    def refresh(self) -> None:
        """Take the version that the alias names now, or keep the one before and say so."""
        with self._lock:
            try:
                named = self._named()
            except Exception as error:
                if self._due(f"nothing, {type(error).__name__}"):
                    self._refuse("", error)
                return
            if named == self._taken:
                self._seen, self.refused = named, None
            elif self._due(named):
                self._take(named)

    def _named(self) -> str:
        """Return what the alias names: the folder and its checksums, so that a replaced folder is another version."""
        name, _, alias = self.name.partition("@")
        if not self.needed and alias not in aliases(self.releases, name):
            return ""
        folder = resolve(self.name, self.releases)
        return f"{folder}\n{bundle_digest(folder)}"

    def _due(self, named: str) -> bool:
        """Tell whether to act on what is named: at once when it is new, and on the same again only after a while."""
        now = time.monotonic()
        due = named != self._seen or now - self._tried >= TRY_AGAIN
        if due:
            self._seen, self._tried = named, now
        return due

    def _take(self, named: str) -> None:
        if not named:
            self.current, self._taken = None, named
            return
        folder = Path(named.partition("\n")[0])
        try:
            model = RiskModel.load(folder)
            smoke(model)
        except Exception as error:
            self._refuse(folder.name, error)
            return
        self.current, self._taken, self.refused = model, named, None
        log.warning("version %s of model %s serves as %s", model.manifest.version, model.manifest.name, self.name)
        if self.needed:
            metrics.serves(model.manifest.version)
        try:
            self.taken()
        except Exception:
            log.exception("the move to version %s could not be recorded", model.manifest.version)

    def _refuse(self, version: str, error: Exception) -> None:
        why = "; ".join(f.what for f in error.faults) if isinstance(error, Faults) else type(error).__name__
        self.refused = RefusedModel(version, why)
        kept = self.current.manifest.version if self.current else "none"
        log.error("%s %s is refused: %s; version kept: %s", self.name, version, why, kept, exc_info=error)
        if self.needed:
            metrics.refuses()


def smoke(model: RiskModel) -> None:
    """Score a made-up pupil: it compiles and proves the whole way before anybody is answered by it.

    Raises
    ------
    Faults
        When the score is not one.
    """
    scores = model.score(open_rows(A_PUPIL), date(2025, 1, 13))
    whole = [
        0 < s.risk < 1
        and s.risk_low <= s.risk <= s.risk_high
        and abs(s.base + sum(r.contribution for r in s.reasons + s.protective + s.context) - s.margin) < 1e-6
        for s in scores
    ]
    if whole != [True]:
        do = "Train again, or roll back; the version before keeps serving."
        raise Faults(Fault("the smoke score is not a score", f"version {model.manifest.version}", do))
