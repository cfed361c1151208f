"""Run the service as a child process on a free loopback port, and stop it."""

from __future__ import annotations

import os
import socket
import subprocess  # nosec B404 # starts this program's own service
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2

from histories.errors import Fault, Faults
from histories.settings import FOLDER

PATIENCE = 120  # seconds the service may take to become ready, and to finish its open requests
# BentoML imports from its working folder, and numba and matplotlib read settings there. The service can write the folder of its
# data, where whoever breaks in would leave code for the next start. The environment's own folder holds no module.
CODE = Path(sys.prefix)


def serve_command(host: str, port: int) -> list[str]:
    """Return the command that runs the service; run it in ``CODE`` with ``service_environment``."""
    return [
        sys.executable,
        "-P",
        "-m",
        "bentoml",
        "serve",
        "serving.http.service:Onroll",
        "--working-dir",
        str(CODE),
        "--host",
        host,
        "--port",
        str(port),
    ]


def service_environment(folder: Path, host: str) -> dict[str, str]:
    """Return what the service and its workers need to know of the folder with settings and data, which they do not run in."""
    return {
        FOLDER: str(folder.absolute()),
        "PYTHONSAFEPATH": "1",
        "BENTOML_DO_NOT_TRACK": "True",
        "ONROLL_HOST": host,
    }


@contextmanager
def running(log: Path, folder: Path, environment: dict[str, str] | None = None) -> Iterator[str]:
    """Yield the address of a ready service, and stop the service afterwards; see ``start``."""
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
        File for its output.
    folder : Path
        The folder of its settings and data.
    environment : dict, optional
        Added to this process's environment.

    Returns
    -------
    Popen, str
        The process and the address.

    Raises
    ------
    Faults
        When it does not become ready.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    child_environment = {
        **os.environ,
        "BENTOML_HOME": str(folder.absolute() / ".bentoml"),
        **(environment or {}),
        **service_environment(folder, "127.0.0.1"),
    }
    with log.open("wb") as lines:
        process = subprocess.Popen(  # nosec B603 # no shell, and no word of it comes from a request
            serve_command("127.0.0.1", port), cwd=CODE, env=child_environment, stdout=lines, stderr=lines
        )
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
        with suppress(httpx2.TransportError):
            if httpx2.get(f"{url}/readyz", timeout=5).is_success:
                return
        time.sleep(0.2)  # readiness can only be polled
    raise Faults(Fault("the service did not become ready", str(log), "Read the last lines of the log."))
