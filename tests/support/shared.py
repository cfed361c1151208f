"""Objects that take seconds to build, built once per run by the first worker that needs them, in a folder shared by all workers."""

import fcntl
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from histories.settings import KEYS

VARIABLE = "ONROLL_TESTS_SHARED"  # a folder that several runs of the tests share, one after the other


def shared_folder(tmp_path_factory, name, build):
    """Return the folder ``name`` that ``build(folder)`` filled; workers that come meanwhile wait for it.

    Treat it as read-only: other workers read it too. A build that fails leaves nothing behind.
    """
    base = tmp_path_factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    run = Path(os.environ.get(VARIABLE, run))
    folder, built = run / "shared" / name, run / "shared" / f"{name}.built"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            folder.mkdir()
            try:
                with _own_environment():
                    build(folder)
            except BaseException:
                shutil.rmtree(folder)
                raise
            built.touch()
    return folder


@contextmanager
def _own_environment():
    """Hide the settings of the environment, and take away what is set meanwhile: MLflow puts its address there, for subprocesses to find."""
    before = dict(os.environ)
    for key in KEYS:
        os.environ.pop(key, None)
    try:
        yield
    finally:
        for key in set(os.environ) - set(before):
            del os.environ[key]
        os.environ.update(before)
