"""Servers of MLflow's own, started on loopback by its command and stopped again."""

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.support.checkout import ROOT

PATIENCE = 180  # seconds until a server answers
MLFLOW = Path(sys.executable).parent / "mlflow"


@contextmanager
def mlflow_server(*words, log, health="/health", environment=None):
    """Start ``mlflow WORDS`` on a free port, yield its address once it answers, and stop it with all its processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("w") as lines:
        process = subprocess.Popen(
            [MLFLOW, *words, "--host", "127.0.0.1", "--port", str(port)],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PATH": f"{MLFLOW.parent}:{os.environ['PATH']}",
                **(environment or {}),
            },
            stdout=lines,
            stderr=lines,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        assert _answers(f"{address}{health}", process), log.read_text()
        yield address
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(PATIENCE)


def _answers(url, process):
    """Return whether a server answers before it ends, looking again until then."""
    look_again = threading.Event()
    for _ in range(PATIENCE):
        try:
            return httpx2.get(url, timeout=PATIENCE).status_code == 200
        except httpx2.TransportError:
            if process.poll() is not None:
                return False
            look_again.wait(1)
    return False
