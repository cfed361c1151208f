"""Whoever breaks into the service, or has another account, changes what decides whom the next start trusts.

Before, ``onroll.toml`` beside the data could name another model, another access file with keys of the attacker's own, or no second person,
and the access file, the provider's keys and the public keys of promotions were read whatever their mode.
"""

import os
from unittest import mock

import pytest
from click.testing import CliRunner

from histories.errors import Faults
from histories.settings import ANYWHERE, KEYS, settings
from serving.access.configuration import Configuration
from serving.access.signing_keys import KeysInFile, KeysUnavailable
from serving.cli.main import onroll
from tests.support.checkout import ROOT
from tests.support.identity_provider import jwks, signing_key

NAMED = {  # what each setting may be set to, so that nothing else is wrong with it
    "ONROLL_SECOND_PERSON": "false",
    "ONROLL_DATABASE_URL": "sqlite:///evil.db",
    "MLFLOW_TRACKING_URI": "sqlite:///evil.db",
    "ONROLL_MODEL": "evil@champion",
}
FILES = [k for k in KEYS if k.endswith("_FILE") or k in ("ONROLL_ACCESS", "ONROLL_GATES")]
DECIDING = [k for k in KEYS if k not in (*ANYWHERE, "ONROLL_FEATURES")]


@pytest.fixture
def broken_into(monkeypatch):
    """The account of the service, which can write its folder, and is not root."""
    monkeypatch.setenv("ONROLL_SERVICE", "1")
    monkeypatch.setattr(os, "geteuid", lambda: 10001)


@pytest.mark.parametrize("file", ["onroll.toml", ".env"])
@pytest.mark.parametrize("name", DECIDING)
def test_no_file_that_the_service_can_write_decides_whom_it_trusts(tmp_path, broken_into, name, file, monkeypatch):
    (tmp_path / "evil").write_text("a key for tests only, which is long enough")
    (tmp_path / file).write_text(f'{name} = "{NAMED.get(name, "evil")}"\n')
    with pytest.raises(Faults) as refused:
        settings()
    assert name in str(refused.value)
    monkeypatch.setenv(name, NAMED.get(name, "/evil"))
    if name not in FILES:
        settings()  # the environment decides


@pytest.mark.parametrize("name", ["ONROLL_ENGINE", "ONROLL_MEMORY"])
def test_what_decides_nothing_may_stand_anywhere(tmp_path, broken_into, name):
    (tmp_path / "onroll.toml").write_text('engine = "polars"\nmemory = "1GiB"\n')
    assert (settings().engine, settings().memory) == ("polars", "1GiB")


def test_every_other_program_and_a_file_of_another_owner_are_as_before(tmp_path, broken_into, monkeypatch):
    (tmp_path / "onroll.toml").write_text('model = "mine@champion"\n')
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert settings().model == "mine@champion"
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert settings().model == "mine@champion"


def test_serve_refuses_to_start_with_them_and_development_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 10001)
    monkeypatch.setattr(os, "execv", lambda *_: None)
    (tmp_path / "onroll.toml").write_text('model = "evil@champion"\n')
    with mock.patch.dict(os.environ):
        refused = CliRunner().invoke(onroll, ["serve"])
    assert "decides whom it trusts" in str(refused.exception)
    with mock.patch.dict(os.environ):
        assert CliRunner().invoke(onroll, ["serve", "--development"]).exit_code == 0


def test_each_deployment_says_that_it_is_a_service_and_names_its_model():
    assert " ONROLL_SERVICE=1" in (ROOT / "deploy/Containerfile").read_text()
    assert "ONROLL_MODEL: onroll@champion" in (ROOT / "deploy/compose.yaml").read_text()
    for unit in (ROOT / "deploy").glob("*.service"):
        assert "Environment=ONROLL_SERVICE=1 ONROLL_MODEL=onroll@champion" in unit.read_text()


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o664, 0o646])
@pytest.mark.parametrize("name", ["ONROLL_VERIFY_KEY_FILE", "ONROLL_ACCESS", "ONROLL_GATES"])
def test_a_root_of_trust_that_others_can_change_is_refused(tmp_path, monkeypatch, name, mode):
    (tmp_path / "root").write_text("")
    (tmp_path / "root").chmod(mode)
    monkeypatch.setenv(name, "root")
    with pytest.raises(Faults, match="chmod go-w"):
        settings()
    (tmp_path / "root").chmod(0o644)
    settings()
    monkeypatch.setenv("ONROLL_SERVICE", "1")
    monkeypatch.setattr(os, "geteuid", lambda: 10001)
    with pytest.raises(Faults, match="the service could replace"):
        settings()


def test_the_access_file_and_the_providers_keys_are_looked_at_again_when_they_change(tmp_path):
    access, keys = tmp_path / "access.toml", tmp_path / "jwks.json"
    access.write_text("keys = true\n")
    keys.write_text(jwks(signing_key()))
    Configuration.load(access)
    found = KeysInFile(keys)
    for file in (access, keys):
        file.chmod(0o664)
    with pytest.raises(Faults, match="chmod go-w"):
        Configuration.load(access)
    with pytest.raises(Faults, match="chmod go-w"):
        KeysInFile(keys)
    os.utime(keys, (1, 1))
    with pytest.raises(KeysUnavailable):
        found.find("any")
