"""The environment wins over .env, which wins over onroll.toml, which wins over the defaults."""

import pytest

from histories.errors import Faults
from histories.settings import settings


def test_defaults_lie_in_the_working_folder(tmp_path):
    found = settings()
    assert found.tracking_uri == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    assert found.database_url == f"sqlite:///{tmp_path}/onroll.db"
    assert (found.model, found.engine, found.pseudonym_key) == ("onroll@champion", "duckdb", None)


def test_the_nearer_place_wins(tmp_path, monkeypatch):
    (tmp_path / "onroll.toml").write_text(
        'onroll_model = "from@toml"\nonroll_memory = "1GiB"\nonroll_engine = "polars"'
    )
    (tmp_path / ".env").write_text("ONROLL_MODEL=from@dotenv\nONROLL_MEMORY=2GiB\n")
    monkeypatch.setenv("ONROLL_MODEL", "from@environment")
    found = settings()
    assert (found.model, found.memory, found.engine) == ("from@environment", "2GiB", "polars")


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("onroll_modell = 'x'", "onroll_modell"),
        ("onroll_model = 3", "onroll_model"),
        ("onroll_model = ", "not valid TOML"),
    ],
)
def test_a_wrong_file_of_settings_is_said_with_what_to_do(tmp_path, toml, says):
    (tmp_path / "onroll.toml").write_text(toml)
    with pytest.raises(Faults, match=says):
        settings()


def test_a_settings_file_in_another_encoding_is_said(tmp_path):
    (tmp_path / "onroll.toml").write_bytes(b"onroll_model = '\xff'")
    with pytest.raises(Faults, match="not valid TOML"):
        settings()


def test_the_pseudonym_key_comes_from_a_file_without_its_line_end(tmp_path, monkeypatch):
    (tmp_path / "key").write_text("secret\n")
    monkeypatch.setenv("ONROLL_PSEUDONYM_KEY_FILE", "key")
    assert settings().pseudonym_key == b"secret"
    monkeypatch.setenv("ONROLL_PSEUDONYM_KEY_FILE", "elsewhere")
    with pytest.raises(Faults, match="no such file"):
        settings()


def test_the_page_of_settings_names_every_setting_and_no_other():
    import re
    from pathlib import Path

    from histories.settings import KEYS
    from serving.telemetry.tracing import CONFIGURED

    root = Path(__file__).parents[3]
    page = (root / "docs" / "settings.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall("`([A-Z_]+)`", row)]
    read = r"""(?:os\.environ(?:\.get|\.pop|\.setdefault|\.update)?|getenv)[\[({]+\s*"([A-Z_]+)\""""
    code = "\n".join(
        f.read_text("utf-8")
        for room in ("histories", "features", "training", "serving")
        for f in (root / room).rglob("*.py")
    )
    assert len(named) == len(set(named))
    assert set(named) == {*KEYS, *CONFIGURED, *re.findall(read, code)} - {"PATH"}
