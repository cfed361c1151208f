"""Time of ``onroll --help``, and from the service's command to its first answer, compared with importing MLflow, which the service must not do."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.ratios import note
from histories.settings import settings
from serving.cli.running import running
from training.release.resolve import resolve

REPEATS = 5
HELP, READY = 0.3, 3.0  # seconds promised


def helped() -> float:
    """Return the median time of ``onroll --help``."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run([Path(sys.executable).with_name("onroll"), "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print the median times of ``onroll --help`` and until ``/readyz`` succeeds, and the ratio of this to an import of MLflow."""
    model = resolve(settings().model, settings().releases)
    started, imported = [], []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            home, environment = Path(folder), {"ONROLL_MODEL": str(model.absolute()), "PYTHONPATH": str(Path.cwd())}
            start = time.perf_counter()
            with running(home / "log", home, {**os.environ, **environment}):
                started.append(time.perf_counter() - start)
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import mlflow"], check=True)
        imported.append(time.perf_counter() - start)
    ready, mlflow = statistics.median(started), statistics.median(imported)
    help_ready = helped()
    note("onroll --help", help_ready / HELP, f"{HELP} s", 1)
    note("service ready", ready / READY, f"{READY} s", 1)
    print(f"onroll --help takes {help_ready:.2f} s")
    print(f"ready after {ready:.1f} s, which is {ready / mlflow:.2f} times one import of MLflow ({mlflow:.1f} s)")


if __name__ == "__main__":
    main()
