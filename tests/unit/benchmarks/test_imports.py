"""Every benchmark can be imported: no other test runs most of them, and a name that moved would be noticed months later."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
# In a process of its own, since some read settings of the machine or import what takes seconds.
EACH = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except Exception as error:
        print(f"{name}: {error!r}")
"""


def test_every_benchmark_can_be_imported():
    names = sorted(f"benchmarks.{file.stem}" for file in (ROOT / "benchmarks").glob("*.py"))
    assert len(names) > 40
    ran = subprocess.run([sys.executable, "-c", EACH, *names], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == ""
