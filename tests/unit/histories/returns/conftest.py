"""What tests of importing share."""

import json

import pytest
from click.testing import CliRunner

from histories.cli.import_returns import import_
from histories.errors import Faults


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the verb on a folder of some files, and return the exit code and what it printed as JSON or text."""
    monkeypatch.setenv("ONROLL_PSEUDONYM_KEY", "a key for tests only, which is long enough")
    monkeypatch.chdir(tmp_path)

    def run_verb(files, *options, as_json=True):
        for name, content in files.items():
            file = tmp_path / "returns" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        flags = [*options, "--json"] if as_json else options
        ran = CliRunner().invoke(import_, ["auto", "returns", "--into", "h", *map(str, flags)])
        if isinstance(ran.exception, Faults):
            raise ran.exception
        return ran.exit_code, json.loads(ran.stdout) if as_json else ran.stdout

    return run_verb
