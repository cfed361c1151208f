"""What is installed where: the image gets no tool of the tests, and every exception to bandit says why."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

from tests.house import overdue

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CHECKED = ("histories", "features", "training", "serving")
# The packages that other packages of the image need, though the extras name them too.
NEEDED_ANYWAY = {"packaging", "pillow", "psutil", "scipy"}


def locked(name):
    """Return the packages of a lock, each with its version and hashes."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    packages = {}
    for line in text.splitlines():
        pin, *hashes = line.split("--hash=")
        package, _, version = pin.partition(";")[0].strip().partition("==")
        packages[package] = (version, frozenset(h.strip() for h in hashes))
    return packages


WHOLE, PRODUCTION, BUILD = (locked(f"requirements{kind}.lock") for kind in ("", ".production", ".build"))


def named(requirements):
    return {re.match(r"[\w.-]+", r)[0].lower() for r in requirements} - {"onroll"}


def test_the_locks_of_the_image_hold_the_versions_that_are_tested():
    for lock in (PRODUCTION, BUILD):
        assert lock.items() <= WHOLE.items()
        assert all(version and hashes for version, hashes in lock.values())


def test_no_lock_names_an_address():
    for lock in ROOT.glob("requirements*.lock"):
        assert not re.search(r"://|^\s*--(?!hash=sha256:[0-9a-f]{64})", lock.read_text("utf-8"), re.MULTILINE), (
            lock.name
        )


def test_the_image_holds_what_the_project_needs_and_no_tool():
    tools = set().union(*(named(extra) for extra in PROJECT["optional-dependencies"].values()))
    assert named(PROJECT["dependencies"]) <= set(PRODUCTION)
    assert tools & set(PRODUCTION) <= NEEDED_ANYWAY
    assert set(BUILD) == named(PROJECT["optional-dependencies"]["build"])


def test_lint_runs_bandit_over_every_room():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    lint = re.search(r"^lint:.*\n((?:[\t#].*\n)+)", makefile, re.MULTILINE)[1]
    runs = re.findall(r"^\t\$\(BIN\)/bandit (.*)$", lint, re.MULTILINE)
    rooms = [word for run in runs for word in run.split() if word in CHECKED]
    assert sorted(rooms) == sorted(CHECKED)
    assert set(re.findall(r"--skip (\S+)", " ".join(runs))) <= {"B608"}
    assert not any("serving" in run and "--skip" in run for run in runs)


def test_every_exception_to_bandit_names_the_check_and_a_reason():
    for room in CHECKED:
        for file in (ROOT / room).rglob("*.py"):
            for line in file.read_text("utf-8").splitlines():
                if "# nosec" in line:
                    assert re.search(r"# nosec B\d{3} # \w.{5,}", line), f"{file.relative_to(ROOT)}: {line.strip()}"


def test_a_component_is_overdue_if_a_newer_version_was_there_already():
    locked = overdue.pins("late==1.9 \\\n    --hash=sha256:00\nlatest==2.0 ; python_version < '3.13'\nnew==4\n")
    assert locked == {"late": Version("1.9"), "latest": Version("2.0"), "new": Version("4")}
    assert overdue.late(locked, {"late": Version("1.10"), "latest": Version("2"), "new": Version("3")}) == ["late"]
    relaxed = overdue.without_lower_bounds(["a[b]>=1.2,<2; python_version < '3.13'", "c>=1", "d"])
    assert relaxed == ['a[b]<2; python_version < "3.13"', "c", "d"]


def test_a_component_is_held_back_only_if_nothing_fits_and_others_may_move_with_it(monkeypatch, capsys):
    asked = []

    def resolver(command, *, input, **_):
        asked.append(input.splitlines())
        if "--exclude-newer" in command:
            return subprocess.CompletedProcess(command, 0, "core==2\nheld==2\n", "")
        fits = "held>=2" not in asked[-1]
        return subprocess.CompletedProcess(command, int(not fits), "", "" if fits else "error: No solution found")

    monkeypatch.setattr(overdue.subprocess, "run", resolver)
    monkeypatch.setattr(
        overdue,
        "pins",
        lambda lock: (
            {n: Version(v) for n, _, v in (x.partition("==") for x in lock.split())}
            if len(lock) < 99
            else {n: Version("1") for n in ("core", "held", "whole")}
        ),
    )
    assert overdue.main() == 1
    assert asked[1] == ["held>=1", "whole>=1", "core>=2"]
    assert "1 of 3 components are overdue" in capsys.readouterr().out
    monkeypatch.setattr(
        overdue.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 2, "", "no network")
    )
    with pytest.raises(SystemExit, match="no network"):
        overdue.main()


def test_the_limit_is_the_one_that_is_stated():
    stated = re.search(r"within (\d+) days of its release", (ROOT / "SECURITY.md").read_text("utf-8"))
    assert int(stated[1]) == overdue.DAYS


@pytest.mark.prove
def test_the_bill_of_materials_is_whole_and_the_same_each_time(tmp_path):
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "--pyproject", "pyproject.toml"]
    command += ["--output-reproducible", "--of", "JSON", "requirements.production.lock", "-o"]
    bills = [tmp_path / "a.json", tmp_path / "b.json"]
    for bill in bills:
        subprocess.run([*command, bill], cwd=ROOT, check=True, capture_output=True)
    assert bills[0].read_bytes() == bills[1].read_bytes()
    bill = json.loads(bills[0].read_text("utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "onroll"
    assert {c["name"]: c["version"] for c in bill["components"]} == {p: v for p, (v, _) in PRODUCTION.items()}
    assert all(c["externalReferences"][0]["hashes"] for c in bill["components"])
