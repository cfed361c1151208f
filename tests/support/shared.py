"""Objects that take seconds to build, built once per run by the first worker that needs them, in a folder shared by all workers."""

import fcntl
import os
import shutil
from pathlib import Path

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
                build(folder)
            except BaseException:
                shutil.rmtree(folder)
                raise
            built.touch()
    return folder
