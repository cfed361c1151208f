"""The environment wins over .env, which wins over onroll.toml, which wins over the defaults."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from histories.errors import Faults
from histories.io.private_files import SERVICE
from histories.settings import FOLDER, KEYS, settings


def test_defaults_lie_in_the_working_folder(tmp_path):
    config = settings()
    assert config.tracking_uri == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    assert config.database_url == f"sqlite:///{tmp_path}/onroll.db"
    assert (config.model, config.engine, config.pseudonym_key) == ("onroll@champion", "duckdb", None)


def test_the_environment_may_name_the_folder_and_what_is_relative_lies_in_it(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    (home / "onroll.toml").write_text('model = "models/one"\ndatabase_url = "sqlite:///other.db"\nblocks = "kept"')
    monkeypatch.setenv("ONROLL_FOLDER", str(home))
    config = settings()
    assert (config.model, config.blocks) == (str(home / "models/one"), home / "kept")
    assert config.database_url == f"sqlite:///{home}/other.db"
    for same in ("sqlite:////elsewhere/x.db", "sqlite:///:memory:", "sqlite://", "postgresql://u@host/db"):
        monkeypatch.setenv("ONROLL_DATABASE_URL", same)
        assert settings().database_url == same


def test_a_file_from_windows_is_read(tmp_path):
    (tmp_path / "onroll.toml").write_bytes(b'\xef\xbb\xbfengine = "polars"\r\nmemory = "1GiB"\r\n')
    assert (settings().engine, settings().memory) == ("polars", "1GiB")


def test_a_setting_in_two_spellings_is_refused(tmp_path):
    (tmp_path / "onroll.toml").write_text('engine = "polars"\nONROLL_ENGINE = "duckdb"')
    with pytest.raises(Faults, match="there twice"):
        settings()


def test_the_nearer_place_wins(tmp_path, monkeypatch):
    (tmp_path / "onroll.toml").write_text(
        'onroll_model = "from@toml"\nonroll_memory = "1GiB"\nonroll_engine = "polars"'
    )
    (tmp_path / ".env").write_text("ONROLL_MODEL=from@dotenv\nONROLL_MEMORY=2GiB\n")
    monkeypatch.setenv("ONROLL_MODEL", "from@environment")
    config = settings()
    assert (config.model, config.memory, config.engine) == ("from@environment", "2GiB", "polars")


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("onroll_modell = 'x'", "onroll_modell"),
        ("onroll_model = 3", "onroll_model"),
        ("onroll_model = ", "not valid TOML"),
    ],
)
def test_an_invalid_settings_file_is_refused(tmp_path, toml, says):
    (tmp_path / "onroll.toml").write_text(toml)
    with pytest.raises(Faults, match=says):
        settings()


def test_a_settings_file_in_another_encoding_is_refused(tmp_path):
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


def test_the_audit_key_is_its_value_or_else_its_file(tmp_path, monkeypatch):
    (tmp_path / "keys").write_text("one\n")
    monkeypatch.setenv("ONROLL_AUDIT_KEY_FILE", "keys")
    assert settings().audit_key == tmp_path / "keys"
    monkeypatch.setenv("ONROLL_AUDIT_KEY", "secret")
    assert settings().audit_key == b"secret"
    assert "secret" not in repr(settings())


def test_a_key_wins_over_its_file_even_where_the_file_is_missing(monkeypatch):
    monkeypatch.setenv("ONROLL_PSEUDONYM_KEY_FILE", "elsewhere")
    monkeypatch.setenv("ONROLL_PSEUDONYM_KEY", "secret")
    assert settings().pseudonym_key == b"secret"


def test_an_empty_value_counts_as_none(tmp_path, monkeypatch):
    (tmp_path / "onroll.toml").write_text('model = "from@toml"')
    (tmp_path / ".env").write_text("ONROLL_MODEL=\nANOTHER_PROGRAMS=setting\n")
    monkeypatch.setenv("ONROLL_MODEL", "")
    assert settings().model == "from@toml"


def test_all_faults_are_collected_and_none_shows_a_value(tmp_path, monkeypatch):
    (tmp_path / "onroll.toml").write_text("onroll_modell = 'x'\nmodel = 3")
    monkeypatch.setenv("ONROLL_ENGINE", "sekret-engine")
    monkeypatch.setenv("ONROLL_SHADOW", "much")
    monkeypatch.setenv("ONROLL_AUDIT_KEY_FILE", "nowhere")
    with pytest.raises(Faults) as caught:
        settings()
    places = [f.where for f in caught.value.faults]
    assert places == [
        f"{tmp_path}/onroll.toml, onroll_modell",
        f"{tmp_path}/onroll.toml, model",
        "ONROLL_ENGINE",
        "ONROLL_SHADOW",
        f"ONROLL_AUDIT_KEY_FILE, {tmp_path}/nowhere",
    ]
    assert "sekret" not in str(caught.value)
    assert "much" not in str(caught.value)


@pytest.mark.parametrize("name", ["ONROLL_MODELL", "onroll_model", "ONROLL_FOLDER"])
def test_one_of_our_names_in_dotenv_that_has_no_effect_is_a_fault(tmp_path, name):
    (tmp_path / ".env").write_text(f"ONROLL_MEMORY=2GiB\n{name}=sekret\n")
    with pytest.raises(Faults) as caught:
        settings()
    assert [f.where for f in caught.value.faults] == [f"{tmp_path}/.env, {name}"]
    assert "sekret" not in str(caught.value)


def test_paths_are_relative_to_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ONROLL_GATES", "own/gates.toml")
    monkeypatch.setenv("ONROLL_ACCESS", "/etc/access.toml")
    config = settings()
    assert str(config.gates) == f"{tmp_path}/own/gates.toml"
    assert str(config.access) == "/etc/access.toml"
    assert config.releases == tmp_path / "mlruns" / "releases"


@pytest.mark.parametrize("name", ["onroll.toml", ".env"])
def test_importing_reads_nothing_from_the_working_folder(tmp_path, name):
    (tmp_path / name).write_bytes(b"onroll_model = '\xff'")
    code = "import histories.settings, histories.reading.histories, histories.io.terminal, histories.rules, histories.returns"
    path = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=path, check=True)


def test_the_page_of_settings_names_every_setting_and_no_other():
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
    assert set(named) == {FOLDER, SERVICE, *KEYS, *CONFIGURED, *re.findall(read, code)} - {"PATH"}


def test_no_test_leaves_a_setting_to_the_fixtures_of_another_module(tmp_path):
    """MLflow puts its address into the environment; a module's registry was then written into that of another test."""
    (tmp_path / "test_first.py").write_text(
        "import mlflow\ndef test_leaves(): mlflow.set_tracking_uri('sqlite:///of_another_test.db')\n"
    )
    (tmp_path / "test_second.py").write_text(
        "import os, pytest\n@pytest.fixture(scope='module')\ndef found(): return os.environ.get('MLFLOW_TRACKING_URI')\n"
        "def test_finds(found): assert found is None\n"
    )
    root = str(Path(__file__).parents[3])
    words = ("-m", "pytest", "-q", "-n", "0", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", os.devnull)
    done = subprocess.run(
        [sys.executable, *words, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout
