"""Whoever breaks into the service leaves code for the next start, in what the service can write.

Before, ``features = "evil.py"`` in ``onroll.toml`` ran on ``models list``, numba unpickled its cache from the data's volume, and
``yaml.py`` or ``bentoml/__main__.py`` in the working folder ran when the service started. ``tests/system/test_service.py`` does the
last to a whole service with its worker.
"""

import io
import os
import re
import subprocess
import sys
from unittest import mock

import openpyxl
import pytest
from click.testing import CliRunner

from histories.errors import Faults
from histories.io.private_files import writable_code
from histories.settings import settings
from serving.cli.main import onroll
from serving.pages import list_export
from tests.support.checkout import ROOT
from tests.support.left_behind import plant

EVIL = "from pathlib import Path\nPath('ran').touch()\nFEATURES = []\n"


@pytest.mark.parametrize(
    ("file", "line"), [("onroll.toml", 'features = "evil.py"'), (".env", "ONROLL_FEATURES=evil.py")]
)
@pytest.mark.parametrize("verb", [["models", "list"], ["features", "--list"]], ids=" ".join)
def test_settings_in_the_folder_name_no_code(tmp_path, file, line, verb):
    (tmp_path / "evil.py").write_text(EVIL)
    (tmp_path / file).write_text(line + "\n")
    refused = CliRunner().invoke(onroll, verb)
    assert isinstance(refused.exception, Faults)
    assert "in the environment" in str(refused.exception)
    assert not (tmp_path / "ran").exists()


def test_the_environment_may_name_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("ONROLL_FEATURES", "mine.py")
    assert settings().features == tmp_path / "mine.py"


@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o644, 0o775), (0o664, 0o755), (0o646, 0o755), (0o644, 0o757)])
def test_code_that_others_can_replace_is_not_run(tmp_path, file_mode, folder_mode):
    file = tmp_path / "code" / "mine.py"
    file.parent.mkdir()
    file.write_text("")
    file.parent.chmod(folder_mode)
    file.chmod(file_mode)
    assert "could replace" in str(writable_code(file))


def test_code_that_the_service_can_replace_is_not_run(tmp_path, monkeypatch):
    file = tmp_path / "mine.py"
    file.write_text("")
    monkeypatch.setattr(os, "geteuid", lambda: 10001)
    assert "could replace" in str(writable_code(file))
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert writable_code(file) is None
    assert "writable_code(features)" in (ROOT / "serving/http/service.py").read_text()


def test_a_start_imports_nothing_from_the_folder_of_the_data(tmp_path, monkeypatch):
    ran = plant(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def execute(_, words):  # as `execv` would, in this working folder and environment
        done.append(subprocess.run([*words, "--help"], capture_output=True, text=True, check=False))

    done = []
    monkeypatch.setattr(os, "execv", execute)
    with mock.patch.dict(os.environ):
        served = CliRunner().invoke(onroll, ["serve"])
    assert served.exit_code == 0, served.exception
    assert not ran.exists(), list(ran.iterdir())
    assert "Start a HTTP BentoServer" in done[0].stdout


def test_nothing_that_a_command_starts_imports_from_the_folder_and_numba_takes_no_cache_from_it(tmp_path, monkeypatch):
    ran = plant(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    program = """
import subprocess, sys
from serving.cli.main import main
try:
    main(["--version"])
except SystemExit:
    pass
subprocess.run([sys.executable, "-m", "bentoml.this_is_no_module"], stderr=subprocess.DEVNULL)
from numba import config
print(repr(config.CACHE_DIR))
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert not ran.exists(), list(ran.iterdir())
    assert done.stdout.splitlines()[-1] == "''"


def test_compiled_code_is_forgotten_at_a_restart():
    image = re.findall(r"NUMBA_CACHE_DIR=(\S+)", (ROOT / "deploy/Containerfile").read_text())[
        -1
    ]  # where the service runs
    unit = (ROOT / "deploy/onroll.service").read_text()
    assert image.startswith("/tmp/")
    assert re.search(r"NUMBA_CACHE_DIR=(\S+)", unit)[1].startswith("%t/onroll/")
    assert "RuntimeDirectory=onroll" in unit
    assert "RuntimeDirectoryPreserve" not in unit


def test_a_workbook_leaves_out_what_it_cannot_hold():
    """A school's name with a vertical tab made the export answer 500."""
    name = "".join(map(chr, range(32))) + "Ashfield"
    rows = [["school", 1], [name, 2.5]]
    book = openpyxl.load_workbook(io.BytesIO(list_export.as_xlsx(rows, "list", "sensitive")))
    rows = list(book.active.iter_rows(values_only=True))
    assert rows[1][0].endswith("Ashfield")
    assert rows[1][1] == 2.5
