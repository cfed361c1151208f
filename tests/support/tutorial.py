"""Run docs/tutorial.ipynb in an empty folder; ``python -m tests.support.tutorial`` writes it again with what it gives."""

import os
import re
import sys
from pathlib import Path

import nbclient
import nbformat

from tests.support.checkout import ROOT

TUTORIAL = ROOT / "docs" / "tutorial.ipynb"
PATIENCE = 1800  # seconds for a cell: training takes minutes


def executed(folder):
    """Return the notebook with its outputs, run in a folder by a kernel of this interpreter; raises when a cell fails."""
    notebook = nbformat.read(TUTORIAL, as_version=4)
    kernel = {**os.environ, "PYTHONPATH": str(ROOT), "MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1"}
    client = nbclient.NotebookClient(notebook, timeout=PATIENCE, resources={"metadata": {"path": str(folder)}})
    with client.setup_kernel(env=kernel):
        for place, cell in enumerate(notebook.cells):
            client.execute_cell(cell, place)
    for cell in notebook.cells:
        cell.metadata.clear()  # when each cell ran
        if cell.cell_type == "code":
            cell.outputs = [kept(o) for o in cell.outputs if o.get("name") != "stderr"]  # warnings and progress
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def kept(output):
    """Return an output without the style sheets that pandas repeats."""
    if "text/html" in output.get("data", {}):
        output.data["text/html"] = re.sub(
            r"<style scoped>.*?</style>\n?", "", output.data["text/html"], flags=re.DOTALL
        )
    return output


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        nbformat.write(executed(Path(place)), TUTORIAL)
    sys.stdout.write(f"{TUTORIAL.name}: {TUTORIAL.stat().st_size // 1024} KiB\n")
