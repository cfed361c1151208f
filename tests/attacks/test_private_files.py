"""Another account of the machine looks for children's records and for keys: files are their owner's only, whatever the umask.

Before, the modes followed the umask: features, scores, exports and the tables of an import were readable by all.
"""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from histories.errors import Faults
from histories.io.atomic_write import new_file, new_folder
from histories.io.private_files import readable_by_others
from histories.settings import settings
from serving.access.configuration import Configuration
from serving.cli.main import onroll
from serving.store import Store
from tests.support.census_files import on_roll, write_census
from tests.support.checkout import ROOT

DAY = "2025-04-28"
KEY = "a key for tests only, which is long enough"
SECRET_FILES = ("ONROLL_PSEUDONYM_KEY_FILE", "ONROLL_AUDIT_KEY_FILE", "ONROLL_SIGNING_KEY_FILE")


@pytest.fixture(autouse=True)
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def run(*arguments):
    os.umask(0)  # as a machine may have set it before each command
    done = CliRunner().invoke(onroll, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code in (0, 1), done.output


def wide(folder):
    """Return the files and folders below a folder that others can read or change."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.stat().st_mode & 0o077)


def test_files_that_commands_write_are_private(tmp_path, small_histories, bundle, monkeypatch):
    monkeypatch.setenv("ONROLL_MODEL", str(bundle))
    monkeypatch.setenv("ONROLL_PSEUDONYM_KEY", KEY)
    census = tmp_path.parent / f"{tmp_path.name}-census"
    census.mkdir()
    census = write_census(census, "2024_autumn", [on_roll(1), on_roll(2)])
    run("simulate", "made", "--pupils", 100, "--years", 1, "--truth")
    run("simulate", "text", "--pupils", 100, "--years", 1, "--csv")
    run("import", "school-census", census, "--into", "histories")
    run("check", "made", "--report", "check.html")
    run("features", small_histories, "--as-of", DAY, "--out", "features.parquet")
    run("score", small_histories, "--as-of", DAY, "--out", "scores.parquet", "--store")
    run("keys", "create", "--role", "lead", "--authority", "801")
    run("audit", "export", "--out", "audit.csv")
    run("actions", "export", "--out", "interventions.parquet")
    run("enquiries", "export", "--out", "enquiries.csv")
    run("hold", "list", "--out", "holds.csv")
    run("database", "backup", "backup.db")
    written = {p.name for p in Path().rglob("*")}
    assert {"truth.parquet", "features.parquet", "scores.parquet", "onroll.db", "audit.csv", ".returns"} <= written
    assert {
        "check.html",
        "interventions.parquet",
        "enquiries.csv",
        "holds.csv",
        "backup.db",
        "onroll.audit-anchors",
    } <= written
    assert wide(tmp_path) == []


def test_files_written_by_a_program_are_its_owners_only(tmp_path):
    with new_file(tmp_path / "one.csv") as beside:
        beside.write_text("x")
    with new_folder(tmp_path / "many") as beside:
        (beside / "below").mkdir()
        (beside / "below" / "two.parquet").write_text("x")
    assert wide(tmp_path) == []


def test_the_service_too_makes_its_files_so():
    assert "only_for_the_owner()" in (ROOT / "serving/http/service.py").read_text()


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o640, 0o602, 0o601])
@pytest.mark.parametrize("name", SECRET_FILES)
def test_a_key_that_others_can_read_or_change_is_refused(tmp_path, monkeypatch, name, mode):
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(mode)
    monkeypatch.setenv(name, "key")
    with pytest.raises(Faults, match="chmod 600") as refused:
        settings()
    assert KEY not in str(refused.value)
    for narrow in (0o600, 0o400):
        (tmp_path / "key").chmod(narrow)
        settings()


def test_a_group_may_read_a_key_of_another_owner_only(tmp_path, monkeypatch):
    """So systemd and Kubernetes hand over a secret: root's file, which the group of the service reads."""
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(0o440)
    assert readable_by_others(tmp_path / "key")
    monkeypatch.setattr(os, "geteuid", lambda: (tmp_path / "key").stat().st_uid + 1)
    assert readable_by_others(tmp_path / "key") is None
    (tmp_path / "key").chmod(0o444)
    assert readable_by_others(tmp_path / "key")


@pytest.mark.parametrize("file", [".env", "onroll.toml"])
@pytest.mark.parametrize(
    "line", [f"ONROLL_PSEUDONYM_KEY = '{KEY}'", "ONROLL_DATABASE_URL = 'postgresql://onroll:word@host/onroll'"]
)
def test_settings_with_a_secret_are_refused_when_others_can_read_them(tmp_path, file, line):
    (tmp_path / file).write_text("ONROLL_ENGINE = 'polars'\n")
    (tmp_path / file).chmod(0o644)
    settings()
    (tmp_path / file).write_text(line + "\n")
    with pytest.raises(Faults, match="chmod 600"):
        settings()
    (tmp_path / file).chmod(0o600)
    settings()


def test_the_proxys_secret_and_the_audits_key_are_refused_so(tmp_path):
    (tmp_path / "access.toml").write_text(
        '[proxy]\nsecret_file = "secret"\nroles_header = "X-Roles"\n[roles]\n"a" = "worker"\n'
    )
    (tmp_path / "access.toml").chmod(0o600)
    (tmp_path / "secret").write_text("s" * 40)
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(Faults, match="chmod 600"):
        Configuration.load(tmp_path / "access.toml")
    Store(f"sqlite:///{tmp_path / 'onroll.db'}")
    for wide in (0o640, 0o644):
        (tmp_path / "onroll.audit-key").chmod(wide)
        with pytest.raises(Faults, match="chmod 600"):
            Store(f"sqlite:///{tmp_path / 'onroll.db'}")
