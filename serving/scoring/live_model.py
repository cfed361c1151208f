"""The model that serves: found by alias, verified, smoke-tested, and replaced as a whole when the alias moves."""

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
POLL_SECONDS = 1.0  # between two checks of the alias
RETRY_SECONDS = 30.0  # until a refused version is tried again: a half-copied folder may be complete by then
SMOKE_ROWS = {
    "pupils": [{"pupil_id": "smoke", "date_of_birth": "2014-05-01", "authority": "000"}],
    "enrolments": [{"pupil_id": "smoke", "urn": "000000", "entry_date": "2018-09-04"}],
}


@dataclass(frozen=True)
class RefusedModel:
    """The version that the alias names but that cannot serve, and why."""

    version: str
    why: str


class LiveModel:
    """The current model, or none; each process holds its own and polls the alias itself.

    Parameters
    ----------
    model : str
        ``name@alias`` or a folder.
    releases : Path
    needed : bool
        Whether the service needs it; if not, a missing alias is no error.
    taken : callable
        Called after a version starts to serve; an error in it is only logged.

    Attributes
    ----------
    current : RiskModel or None
        Read it once per request: it is replaced, never changed.
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
        """Poll the alias every second until ``stop``, in a background thread."""
        threading.Thread(target=self._watch, name="model", daemon=True).start()

    def stop(self) -> None:
        """Stop polling."""
        self._ended.set()

    def _watch(self) -> None:
        self.refresh()
        while not self._ended.wait(POLL_SECONDS):
            self.refresh()

    def refresh(self) -> None:
        """Switch to the version that the alias names, or keep the current one and report why."""
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
        """Return the folder that the alias names, with its checksums, so that a replaced folder counts as another version."""
        name, _, alias = self.name.partition("@")
        if not self.needed and alias not in aliases(self.releases, name):
            return ""
        folder = resolve(self.name, self.releases)
        return f"{folder}\n{bundle_digest(folder)}"

    def _due(self, named: str) -> bool:
        """Tell whether to try what is named: at once when it is new, otherwise only after ``RETRY_SECONDS``."""
        now = time.monotonic()
        due = named != self._seen or now - self._tried >= RETRY_SECONDS
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
    """Score a made-up pupil, which compiles and checks the whole path before the model serves.

    Raises
    ------
    Faults
        When the score is not valid.
    """
    scores = model.score(open_rows(SMOKE_ROWS), date(2025, 1, 13))
    whole = [
        0 < s.risk < 1
        and s.risk_low <= s.risk <= s.risk_high
        and abs(s.base + sum(r.contribution for r in s.reasons + s.protective + s.context) - s.margin) < 1e-6
        for s in scores
    ]
    if whole != [True]:
        do = "Train again, or roll back; the previous version keeps serving."
        raise Faults(Fault("the smoke test gave an invalid score", f"version {model.manifest.version}", do))
