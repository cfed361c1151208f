"""The worked example of docs/own-features.md: in the catalogue, in a matrix, tested for leakage, and in a manifest."""

import json
import os
import re
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.checkout import ROOT

PAGE = ROOT / "docs" / "own-features.md"
LOAD = "from features import load_own_features; from histories.settings import settings; loaded = load_own_features(settings().features)"


@pytest.fixture
def run(tmp_path):
    """Return a function that runs Python in a working folder that holds the page's files."""
    text = PAGE.read_text(encoding="utf-8")
    name, file = re.search(r"export (\w+)=(\S+)", text).groups()
    (tmp_path / "own_features.py").write_text(re.search(r"```python\n(.*?)```", text, re.S)[1])
    environment = {**os.environ, "PYTHONPATH": str(ROOT), name: file}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_the_worked_example(run, tmp_path):
    folder = tmp_path / "h"
    folder.mkdir()
    tables = {
        "pupils": [{"pupil_id": "A", "date_of_birth": "2014-05-01"}],
        "enrolments": [{"pupil_id": "A", "urn": "1", "entry_date": "2018-09-04"}],
        "interventions": [
            {"pupil_id": "A", "date": d, "kind": k, "recorded_on": r}
            for d, k, r in (
                ("2025-01-10", "home_visit", "2025-01-12"),
                ("2025-01-09", "letter", "2025-01-09"),
                ("2025-01-11", "home_visit", "2025-01-13"),
            )
        ],
    }
    for name, rows in tables.items():
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    invoked = run("-m", "serving.cli.main", "features", "h", "--as-of", "2025-01-13", "--out", "f.parquet", "--json")
    assert invoked.returncode == 0, invoked.stderr
    names = ["home_visits_180d", "share_of_help_at_home_180d", "days_since_home_visit"]
    assert pq.read_table(tmp_path / "f.parquet", columns=names).to_pylist() == [
        dict(zip(names, (1, 0.5, 3), strict=True))
    ]
    proved = run("-m", "serving.cli.main", "leaks", "h", "--as-of", "2025-01-13", "--json")
    output = json.loads(proved.stdout)
    assert (proved.returncode, output["holds"], output["rows"]["interventions"]["deleted"] > 0) == (0, True, False)
    declared = run(
        "-c",
        f"{LOAD}; import json; print(json.dumps([loaded.declarations(), loaded.digest, loaded.themes]))",
    )
    catalogue, digest, themes = json.loads(declared.stdout)
    assert [d["name"] for d in catalogue if "own_file" in d] == names
    assert themes["support"] == "Help that was given"
    with (tmp_path / "own_features.py").open("a") as file:
        file.write("\n# another file\n")
    again = run("-c", f"{LOAD}; print(loaded.digest)")
    assert again.stdout.strip() != digest


def test_a_faulty_file_stops_a_verb_with_a_remedy(run, tmp_path):
    (tmp_path / "own_features.py").write_text("FEATURES = []")
    left = run("-m", "serving.cli.main", "features", "--list")
    assert (left.returncode, left.stdout) == (1, "")
    assert "own_features.py: FEATURES or TALLIES is missing" in left.stderr
