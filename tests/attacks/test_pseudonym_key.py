"""The key of the pseudonyms beside the pupils that it hides: a copy of the folder names every child. Before, it was accepted there."""

import pytest
from click.testing import CliRunner

from histories.errors import Faults
from serving.cli.main import onroll


@pytest.mark.parametrize(
    "place", ["histories/key", "histories/.returns/key", "histories.linkage/key", "away/../histories/key"]
)
@pytest.mark.parametrize("form", [("auto", "returns"), ("schools", "returns/schools.csv")])
def test_a_key_in_the_folder_of_the_data_is_refused(tmp_path, monkeypatch, place, form):
    for folder in ("histories/.returns", "histories.linkage", "away", "returns"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "returns/schools.csv").write_text("URN\n")
    key = tmp_path / place
    key.write_text("k" * 64)
    key.chmod(0o600)
    monkeypatch.setenv("ONROLL_PSEUDONYM_KEY_FILE", place)
    run = CliRunner().invoke(onroll, ["import", *form, "--into", "histories"])
    assert isinstance(run.exception, Faults)
    assert "lies with the data" in str(run.exception)
    key.rename(tmp_path / "away" / "key")
    monkeypatch.setenv("ONROLL_PSEUDONYM_KEY_FILE", "away/key")
    run = CliRunner().invoke(onroll, ["import", *form, "--into", "histories"])
    assert "lies with the data" not in str(run.exception)
