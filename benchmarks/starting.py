"""Time from the service's command to its first answer, compared with importing MLflow, which the service must not do."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from histories.settings import settings
from serving.cli.running import running
from training.release.resolve import resolve

REPEATS = 3


def main() -> None:
    """Print the median time until ``/readyz`` succeeds, and its ratio to an import of MLflow."""
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
    print(f"ready after {ready:.1f} s, which is {ready / mlflow:.2f} times one import of MLflow ({mlflow:.1f} s)")


if __name__ == "__main__":
    main()
