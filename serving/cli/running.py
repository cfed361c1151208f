"""Run the service beside this process on a free port of this machine, and stop it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from histories.errors import Fault, Faults

PATIENCE = 120  # seconds until the service has to be ready, and until it has finished what it has in hand


def serve_command(host: str, port: int) -> list[str]:
    """Return the command that runs the service."""
    return [
        sys.executable,
        "-m",
        "bentoml",
        "serve",
        "serving.http.service:Onroll",
        "--host",
        host,
        "--port",
        str(port),
    ]


@contextmanager
def running(log: Path, folder: Path, environment: dict[str, str] | None = None) -> Iterator[str]:
    """Yield the address of a service that is ready, and stop it in the end; see ``start``."""
    process, url = start(log, folder, environment)
    try:
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE)


def start(log: Path, folder: Path, environment: dict[str, str] | None = None) -> tuple[subprocess.Popen[bytes], str]:
    """Start a service and wait until it is ready.

    Parameters
    ----------
    log : Path
        Where its lines go.
    folder : Path
        Its working folder.
    environment : dict, optional
        Changes to this process's environment.

    Returns
    -------
    Popen, str
        The process and the address.

    Raises
    ------
    Faults
        When it does not become ready; the log says why.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {
        **os.environ,
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(folder / ".bentoml"),
        "ONROLL_HOST": "127.0.0.1",
        **(environment or {}),
    }
    with log.open("wb") as lines:
        process = subprocess.Popen(serve_command("127.0.0.1", port), cwd=folder, env=own, stdout=lines, stderr=lines)
    try:
        _wait(f"http://127.0.0.1:{port}", process, log)
    except BaseException:
        process.terminate()
        process.wait(PATIENCE)
        raise
    return process, f"http://127.0.0.1:{port}"


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)  # a process tells of its readiness only when it is asked again
    raise Faults(Fault("the service did not become ready", str(log), "Read the log; its last lines say why."))
