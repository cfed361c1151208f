"""The serving model: found by alias, verified, smoke-tested, and replaced when the alias moves."""

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
from training.release.resolve import (
    ALIASES,
    MOVES,
    UNRECORDED,
    Mismatch,
    Release,
    Withdrawn,
    aliases,
    find_release,
    must_not_be_withdrawn,
)
from training.risk_model import RiskModel

log = logging.getLogger("onroll.model")
alarms = logging.getLogger("onroll.alarm")
POLL_SECONDS = 1.0  # seconds between two checks of the alias
RETRY_SECONDS = 30.0  # seconds until a refused version is tried again: a folder being copied may be complete by then
RECORDING_SECONDS = 30.0  # seconds that a command may take from moving an alias to recording that in the audit
NOT_LOOKED: tuple[object, ...] = ("not checked yet",)
SMOKE_ROWS = {
    "pupils": [{"pupil_id": "smoke", "date_of_birth": "2014-05-01", "authority": "000"}],
    "enrolments": [{"pupil_id": "smoke", "urn": "000000", "entry_date": "2018-09-04"}],
}


@dataclass(frozen=True)
class RefusedModel:
    """The version that the alias names but that cannot serve, and why.

    Attributes
    ----------
    reason : str
        The kind of disagreement with the promotion log or the audit; empty when the version is merely broken.
    """

    version: str
    why: str
    reason: str = ""


class LiveModel:
    """The current model, or none; each process holds its own and polls the alias itself.

    Parameters
    ----------
    model : str
        ``name@alias`` or a folder.
    releases : Path
    needed : bool
        Whether the service needs it; if not, a missing alias is not an error.
    public_keys : bytes, optional
        Keys that must have signed the move of the alias.
    check : callable
        Called with the named release whenever a file has changed; an exception refuses the release. A move that is not
        recorded yet is looked at again for ``RECORDING_SECONDS``.
    take_over : callable
        Called with a new release before it serves; an exception refuses the release.
    refusing : callable
        Called with the reason when a release is refused because it disagrees with its log; an exception is only logged.
    once_served : callable
        Whether the audit knows a version that served; asked while none does.

    Attributes
    ----------
    current : RiskModel or None
        Read it once per request: it is replaced, never modified.
    refused : RefusedModel or None
    withdrawn : bool
        Whether the model was withdrawn: then nothing serves, and stored scores are not shown.
    """

    def __init__(
        self,
        model: str,
        releases: Path,
        *,
        needed: bool = True,
        public_keys: bytes | None = None,
        check: Callable[[Release], object] = lambda release: None,
        take_over: Callable[[Release], object] = lambda release: None,
        refusing: Callable[[str], object] = lambda reason: None,
        once_served: Callable[[], bool] = lambda: False,
    ) -> None:
        self.name, self.releases, self.needed = model, releases, needed
        self.public_keys, self.check, self.take_over, self.refusing = public_keys, check, take_over, refusing
        self.once_served = once_served
        self.current: RiskModel | None = None
        self.refused: RefusedModel | None = None
        self.withdrawn = False
        self._failed = False  # the last look
        self._lost = False  # nothing serves, though the audit knows a version that did
        self._loaded: tuple[Path, str] | None = None
        self._taken = self._seen = NOT_LOOKED
        self._tried = 0.0
        self._waiting_since: float | None = None  # when a move was first seen that nobody had recorded
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def model(self) -> RiskModel | None:
        """Return the model to use for a whole request."""
        if self._seen == NOT_LOOKED:
            self.refresh()
        return self.current

    @property
    def folder(self) -> Path | None:
        """The folder of the current model, or None."""
        return self._loaded[0] if self._loaded else None

    @property
    def hides_scores(self) -> bool:
        """Whether stored scores are hidden too: nothing serves, by withdrawal, or because log, alias or folder was changed or is gone.

        What was changed or is gone may have been the withdrawal.
        """
        contradicted = self.refused is not None and bool(self.refused.reason)
        return self.withdrawn or (self.current is None and (contradicted or self._lost))

    def watch(self) -> None:
        """Poll the alias every second until ``stop``, in a background thread."""
        threading.Thread(target=self._watch, name="model", daemon=True).start()

    def stop(self) -> None:
        """Stop polling."""
        self._ended.set()

    def _watch(self) -> None:
        self.look()
        while not self._ended.wait(POLL_SECONDS):
            self.look()

    def look(self) -> None:
        """Refresh, and go on whatever comes of it: a watch that ended would miss every later withdrawal."""
        try:
            self.refresh()
        except Exception as error:
            if not self._failed:
                alarms.error("the model cannot be watched: %s", type(error).__name__, exc_info=error)
            self._failed = True
        else:
            self._failed = False

    def refresh(self) -> None:
        """Switch to the version that the alias names, or keep the current one and report why."""
        with self._lock:
            state = self._state()
            if state == self._taken:
                self._seen, self.refused = state, None
            elif self._due(state):
                self._take(state)

    def _state(self) -> tuple[object, ...]:
        """Return the file status of all that decides what serves; ``st_ctime`` cannot be set back by whoever changes a file."""
        name, _, alias = self.name.partition("@")
        folder = self.releases / name if alias else Path(name)
        # A log may withdraw the version that a folder holds.
        bundles = folder.glob("v*/SHA256SUMS") if alias else [folder / "SHA256SUMS", *self.releases.glob(f"*/{MOVES}")]
        return tuple(_status(file) for file in (folder / ALIASES, folder / MOVES, *sorted(bundles)))

    def _find(self) -> Release | None:
        name, _, alias = self.name.partition("@")
        if not self.needed and alias not in aliases(self.releases, name):
            return None
        release = find_release(self.name, self.releases, self.public_keys)
        must_not_be_withdrawn(release, self.releases)
        return release

    def _due(self, state: tuple[object, ...]) -> bool:
        """Return whether to try what is named: at once when a file has changed, otherwise only after ``RETRY_SECONDS``."""
        now = time.monotonic()
        due = state != self._seen or now - self._tried >= RETRY_SECONDS
        if due:
            self._seen, self._tried = state, now
        return due

    def _take(self, state: tuple[object, ...]) -> None:
        release = None
        try:
            release = self._find()
            if release is None:
                self.current = None
            else:
                self.check(release)
                if (release.folder, release.bundle) != self._loaded or self.current is None:
                    self._load(release)
        except Withdrawn as withdrawal:
            log.error("%s was withdrawn: no version serves", self.name)
            self.current, self._loaded, self.withdrawn = None, None, True
            self._taken, self.refused, self._waiting_since = state, None, None
            if self.needed:
                metrics.serves_nothing(withdrawal.version)
            return
        except Exception as error:
            if not self._waits(release, error):
                self._refuse(release, error)
            return
        self._taken, self.refused, self.withdrawn, self._waiting_since = state, None, False, None
        if self.needed and self.current:
            metrics.serves(self.current.manifest.version)

    def _load(self, release: Release) -> None:
        model = RiskModel.load(release.folder, release.bundle)
        smoke(model)
        self.take_over(release)
        self.current, self._loaded = model, (release.folder, release.bundle)
        log.warning("version %s of model %s serves as %s", model.manifest.version, model.manifest.name, self.name)

    def _waits(self, release: Release | None, error: Exception) -> bool:
        """Return whether a command may still record the move; until then the current model stays, and nothing new serves."""
        if not isinstance(error, Mismatch) or error.code != UNRECORDED:
            return False
        now = time.monotonic()
        if self._waiting_since is None:
            self._waiting_since = now
        if now - self._waiting_since >= RECORDING_SECONDS:
            return False
        self._tried = -RETRY_SECONDS  # looked at again at the next poll
        if self.current is None and not self.withdrawn:
            self.refused = RefusedModel(self._version(release), error.faults[0].what, error.code)
        return True

    def _version(self, release: Release | None) -> str:
        return release.folder.name if release else self._named()

    def _refuse(self, release: Release | None, error: Exception) -> None:
        version = self._version(release)
        why = "; ".join(f.what for f in error.faults) if isinstance(error, Faults) else type(error).__name__
        reason = error.code if isinstance(error, Mismatch) else ""
        self.refused = RefusedModel(version, why, reason)
        self._lost = self.current is None and self._served_before()
        kept = self.current.manifest.version if self.current else "none"
        log.error("%s %s is refused: %s; version kept: %s", self.name, version, why, kept, exc_info=error)
        if self.needed:
            metrics.refuses(reason)
        if reason:
            try:
                self.refusing(reason)
            except Exception:
                log.exception("the refusal of %s could not be recorded", version)

    def _served_before(self) -> bool:
        try:
            return self.once_served()
        except Exception:
            log.exception("the audit cannot be asked whether a version served; stored scores are hidden")
            return True

    def _named(self) -> str:
        """Return the version that the alias names, whatever is wrong with it, for a message."""
        name, _, alias = self.name.partition("@")
        try:
            return f"v{int(aliases(self.releases, name)[alias])}"
        except (OSError, ValueError, KeyError, TypeError):
            return ""


def _status(file: Path) -> tuple[object, ...]:
    try:
        status = file.stat()
    except OSError:
        return (str(file),)
    return (str(file), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def smoke(model: RiskModel) -> None:
    """Score a fictitious pupil, which compiles and checks the whole code path before the model serves.

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
