"""The commands of the page that leads from a mixed folder to a list, run in order on simulated returns."""

import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.support.checkout import ROOT
from tests.support.mixed_folder import write_mixed_folder

PAGE = ROOT / "docs" / "from-folder-to-list.md"
MANY_LEAVE = "[exits]\nmissing = 0.0015\nunknown = 0.001\nhome_education = 0.0006\n"


def commands():
    """Return the commands of the page in order; blocks of other languages are for reading only."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A working folder with the returns of a small authority: three censuses and the other files that the page names."""
    from histories.population.simulation import simulate

    folder = tmp_path_factory.mktemp("walk")
    scenario = folder / "many.toml"
    scenario.write_text(MANY_LEAVE)
    simulate(folder / "made", pupils=1000, years=2, seed=2, scenario=str(scenario))
    write_mixed_folder(folder / "made", folder / "returns", first=2024, last=2025)
    return folder


@pytest.fixture(scope="module")
def walked(place):
    """The exit code and output of every command of the page."""
    tools = place / "bin"
    tools.mkdir()
    for name, words in (("onroll", "-m serving.cli.main"), ("python", "")):
        tool = tools / name
        tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        tool.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done, exported = {}, ""
    for command in commands():
        if command.startswith("export "):
            exported += f"{command}; "
            continue
        ran = subprocess.run(
            ["sh", "-c", exported + command],
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        done[command] = ran
    return done


def ran(walked, words):
    (one,) = [run for command, run in walked.items() if command.startswith(words)]
    return one


def test_every_command_of_the_page_works(walked):
    allowed = {command: (0, 1) if command.startswith("onroll doctor") else (0,) for command in walked}
    wrong = {c: run.stderr for c, run in walked.items() if run.returncode not in allowed[c]}
    assert not wrong
    assert not [c for c, run in walked.items() if "Traceback" in run.stderr]


def test_every_file_is_recognised_correctly(walked):
    printed = ran(walked, "onroll import").stdout
    taken = dict.fromkeys(re.findall(r"^took .* as (\S+)$", printed, re.MULTILINE), 0)
    expected = [
        "areas",
        "cin-census",
        "cme-cases",
        "deletions",
        "home-education",
        "marks",
        "school-census",
        "schools",
        "ssda903",
    ]
    assert sorted(taken) == expected
    assert re.findall(r"^left out (.*?):", printed, re.MULTILINE) == ["minutes of the meeting.docx"]


def test_the_days_of_the_page_are_those_that_doctor_names(walked):
    doctor, train = ran(walked, "onroll doctor"), next(c for c in walked if c.startswith("onroll train"))
    assert doctor.returncode == 1
    (section,) = re.findall(r"^commissioner_or_unknown:\n(.*?)\n\n", doctor.stdout, re.MULTILINE | re.DOTALL)
    named = set(re.findall(r"--monthly|--horizon 60", section))
    assert named == {"--monthly", "--horizon 60"} == set(re.findall(r"--monthly|--horizon \S+", train))


def test_the_list_ranks_children_with_reasons(walked, place):
    scores = pl.read_parquet(place / "scores.parquet")
    assert scores["rank"].to_list() == list(range(1, scores.height + 1))
    assert scores.height > 400
    assert scores.head(20)["reasons"].list.len().min() >= 1
    listed = walked[next(c for c in walked if "duckdb" in c)].stdout
    top = scores.head(1).join(pl.read_parquet(Path(place / "histories" / "pupils.parquet")), on="pupil_id")
    assert top["upn"][0] in listed
