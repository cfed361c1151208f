"""A release as somebody installs it: wheel and sources are built, and the wheel runs the demo from an empty folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from serving.pages.govuk_frontend import SHEET

PROJECT = Path(__file__).parents[2]
PACKAGES = {"histories", "features", "training", "serving", "onroll"}


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """Build as `make dist` does, from the sources under version control alone."""
    home = tmp_path_factory.mktemp("release")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (PROJECT / name).is_file():
            (home / "project" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, home / "project" / name)
    build = [Path(sys.executable).parent / "uv", "build", "--quiet", "--offline", "--no-build-isolation", "--python"]
    subprocess.run([*build, sys.executable, "--out-dir", home / "dist"], cwd=home / "project", check=True)
    return home / "dist"


@pytest.mark.prove
def test_wheel_and_sources_hold_the_packages_and_nothing_else(release):
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    (wheel,), (sources,) = release.glob("*.whl"), release.glob("*.tar.gz")
    assert wheel.name == f"onroll-{version}-py3-none-any.whl"
    assert f"## [{version}]" in (PROJECT / "CHANGELOG.md").read_text()
    with zipfile.ZipFile(wheel) as files:
        tops = {name.split("/")[0] for name in files.namelist()}
    assert tops == {*PACKAGES, f"onroll-{version}.dist-info"}
    with tarfile.open(sources) as files:
        inside = {Path(name).parts[1] for name in files.getnames() if len(Path(name).parts) > 1}
    assert inside >= PACKAGES
    assert not inside & {"tests", "mlruns", "demo", ".venv"}


@pytest.mark.prove
def test_the_wheel_runs_the_demo_from_an_empty_folder(release, tmp_path):
    """The other packages are those of this environment, which the lock pins; onroll itself comes from the wheel."""
    env = tmp_path / "env"
    venv.create(env, with_pip=True)
    (wheel,) = release.glob("*.whl")
    subprocess.run(
        [env / "bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel], check=True
    )
    (site,) = env.glob("lib/python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib"))
    shutil.copytree(SHEET.parent, env / "share" / "onroll")
    work = tmp_path / "empty"
    work.mkdir()
    settings = {
        name: value for name, value in os.environ.items() if not name.startswith(("ONROLL_", "MLFLOW_", "PYTHON"))
    }
    settings["PATH"] = f"{env / 'bin'}{os.pathsep}{settings['PATH']}"

    def run(*command):
        return subprocess.run(command, cwd=work, env=settings, check=True, capture_output=True, text=True).stdout

    where = run("python", "-c", "import features, onroll; print(features.__file__, onroll.__file__)")
    assert all(Path(place).is_relative_to(env) for place in where.split())
    told = run("onroll", "demo", "--pupils", "2500")
    assert "The work-list as of" in told
    assert "\n  onroll monitor demo/histories  " in told
    assert "make " not in told.partition("Next:")[2]
    assert run("onroll", "models", "show")
