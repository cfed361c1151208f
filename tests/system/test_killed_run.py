"""A run that is killed while it counts loses the block in flight at most, and the next run writes the same bytes."""

import signal
import subprocess
import sys
import time
from datetime import date

import pytest

from features.block_store import BlockStore
from features.matrix import write_matrix
from histories.opening import Histories

DAYS = [date(2025, 1, 13), date(2025, 4, 28)]
PROGRAM = """
import sys
from datetime import date
from pathlib import Path
from features.block_store import BlockStore
from features.matrix import write_matrix
from histories.opening import Histories
days = [date(2025, 1, 13), date(2025, 4, 28)]
write_matrix(Path("out.parquet"), Histories.open(sys.argv[1]), days, pupils=55, kept=BlockStore(Path("kept")))
"""


@pytest.mark.parametrize("files", [1, 25])
def test_a_killed_run_continues_to_the_same_bytes(small_histories, own_working_folder, files):
    folder, out = own_working_folder / "kept", own_working_folder / "out.parquet"
    run = subprocess.Popen([sys.executable, "-c", PROGRAM, str(small_histories)], cwd=own_working_folder)
    deadline = time.monotonic() + 120
    while len(list(folder.glob("[!.]*.parquet"))) < files and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    assert run.wait(10) == -signal.SIGKILL
    whole = len(list(folder.glob("[!.]*.parquet")))
    assert whole >= files
    assert not out.exists()

    opened = Histories.open(small_histories)
    store, other = BlockStore(folder), BlockStore(own_working_folder / "other")
    write_matrix(out, opened, DAYS, pupils=55, kept=store)
    write_matrix(own_working_folder / "uninterrupted.parquet", opened, DAYS, pupils=55, kept=other)
    assert out.read_bytes() == (own_working_folder / "uninterrupted.parquet").read_bytes()
    assert store.counted + store.reused == other.counted
    assert len(list(folder.glob("[!.]*.parquet"))) == len(list(other.folder.glob("*.parquet")))
    # Cohorts and who left are files too, but not counts: of seven blocks on two days there are 28.
    assert store.reused >= whole - 28
