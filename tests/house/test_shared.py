"""Shared worlds: built once however many ask at the same time, and never left half built."""

import os
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from tests.support.shared import shared_folder


def factory(path):
    """Return a stand-in for pytest's factory of temporary folders."""
    path.mkdir(parents=True, exist_ok=True)
    return SimpleNamespace(getbasetemp=lambda: path)


def test_workers_that_ask_at_the_same_time_share_one_build(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    builds = []

    def build(folder):
        builds.append(folder)
        (folder / "world").write_text("whole")

    def ask(worker):
        return shared_folder(factory(tmp_path / f"popen-gw{worker}"), "w", build)

    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(ask, range(4)))
    assert folders == set(builds)
    assert len(builds) == 1
    assert (builds[0] / "world").read_text() == "whole"


def test_a_build_that_fails_is_done_anew(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)

    def fails(folder):
        (folder / "half").touch()
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        shared_folder(factory(tmp_path), "w", fails)
    folder = shared_folder(factory(tmp_path), "w", lambda folder: (folder / "world").touch())
    assert [f.name for f in folder.iterdir()] == ["world"]


def test_a_build_sees_no_setting_of_the_environment_and_leaves_none(tmp_path, monkeypatch):
    """MLflow puts its address into the environment; a later build of the same process then wrote to the runs of the earlier one."""
    monkeypatch.setenv("ONROLL_ENGINE", "spark")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    seen = []

    def build(folder):
        seen.append(os.environ.get("ONROLL_ENGINE"))
        os.environ["MLFLOW_TRACKING_URI"] = "sqlite:///elsewhere.db"

    shared_folder(factory(tmp_path), "w", build)
    assert seen == [None]
    assert os.environ["ONROLL_ENGINE"] == "spark"
    assert "MLFLOW_TRACKING_URI" not in os.environ
