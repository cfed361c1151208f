"""Holds the model that serves: found by alias, checked, and swapped whole when the alias moves."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from histories.faults import Faults
from training.release import resolve
from training.risk_model import RiskModel

log = logging.getLogger("onroll.model")
LOOK_EVERY = 2.0  # seconds


class ModelHolder:
    """The current model, or none.

    Parameters
    ----------
    model : str
        ``name@alias`` or a folder.
    releases : Path
    """

    def __init__(self, model: str, releases: Path) -> None:
        self.name, self.releases = model, releases
        self.current: RiskModel | None = None
        self._folder: Path | None = None
        self._looked = 0.0
        self._lock = threading.Lock()

    def model(self) -> RiskModel | None:
        """Return the model to use for a whole request; looks for a new one every two seconds."""
        if time.monotonic() - self._looked > LOOK_EVERY and self._lock.acquire(blocking=self.current is None):
            try:
                self._refresh()
                self._looked = time.monotonic()
            finally:
                self._lock.release()
        return self.current

    def _refresh(self) -> None:
        try:
            folder = resolve(self.name, self.releases)
            if folder != self._folder:
                model = RiskModel.load(folder)
                import numpy as np

                # A smoke score compiles and proves the tables before anybody is answered from them.
                model.contributions(np.zeros((1, len(model.manifest.features))))
                self.current, self._folder = model, folder
                log.warning("model %s version %s serves", model.manifest.name, model.manifest.version)
        except Faults:
            log.exception("the named model cannot be loaded; the one before keeps serving")
