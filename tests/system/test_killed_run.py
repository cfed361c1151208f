"""A run killed while counting loses at most the current block, and the next run writes the same bytes."""

import signal
import subprocess
import sys
import time
from datetime import date

from features.counting.block_cache import BlockStore
from features.matrix import write_matrix
from histories.reading.histories import Histories

DAYS, FILES = [date(2025, 4, 28)], 15  # somewhere in the second of four blocks
PROGRAM = """
import sys
from datetime import date
from pathlib import Path
from features.counting.block_cache import BlockStore
from features.matrix import write_matrix
from histories.reading.histories import Histories
days = [date(2025, 4, 28)]
write_matrix(Path("out.parquet"), Histories.open(sys.argv[1]), days, pupils=90, kept=BlockStore(Path("kept")))
"""


def test_a_killed_run_continues_to_the_same_bytes(small_histories, own_working_folder):
    folder, out = own_working_folder / "kept", own_working_folder / "out.parquet"
    run = subprocess.Popen([sys.executable, "-c", PROGRAM, str(small_histories)], cwd=own_working_folder)
    deadline = time.monotonic() + 120
    while len(list(folder.glob("[!.]*.parquet"))) < FILES and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    run.send_signal(signal.SIGKILL)
    assert run.wait(10) == -signal.SIGKILL
    whole = len(list(folder.glob("[!.]*.parquet")))
    assert whole >= FILES
    assert not out.exists()

    opened = Histories.open(small_histories)
    store, other = BlockStore(folder), BlockStore(own_working_folder / "other")
    write_matrix(out, opened, DAYS, pupils=90, kept=store)
    write_matrix(own_working_folder / "uninterrupted.parquet", opened, DAYS, pupils=90, kept=other)
    assert out.read_bytes() == (own_working_folder / "uninterrupted.parquet").read_bytes()
    assert store.counted + store.reused == other.counted
    assert len(list(folder.glob("[!.]*.parquet"))) == len(list(other.folder.glob("*.parquet")))
    # Besides the counts, cohorts and leavers are files too: eight for four blocks on one day.
    assert store.reused >= whole - 8
