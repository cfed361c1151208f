"""A file of own features is checked completely before it takes effect, and all faults are reported together."""

import subprocess
import sys
from datetime import date

import pytest

from features import own_features_trial
from features.catalogue import SHIPPED, catalogue, install
from features.matrix import matrix
from features.own_features import read_own_features
from features.own_features_trial import load_own_features
from histories.errors import Faults
from tests.support.engines import open_on

HEAD = "import narwhals as nw\nfrom features.feature import Feature, Tally, plain\n"
TALLY = 'TALLIES = {"own_suspensions": Tally(table="suspensions")}\n'
GOOD = """Feature(
    name="own_count",
    theme="behaviour",
    expression=plain("own_suspensions"),
    raises="{own_count:.0f}",
    lowers="none",
    sources=("suspensions",),
)"""


@pytest.fixture(autouse=True)
def shipped_again():
    """Restore the shipped catalogue: own features stay loaded for the whole process."""
    yield
    install(SHIPPED)


def write(tmp_path, text):
    file = tmp_path / "own_features.py"
    file.write_text(text)
    return file


def read(file):
    return read_own_features(file, SHIPPED.by_name, SHIPPED.tallies, SHIPPED.themes)


def test_a_good_file_is_read_with_its_digest(tmp_path):
    declared = read(write(tmp_path, f"{HEAD}{TALLY}FEATURES = [{GOOD}]"))
    assert ([f.name for f in declared.features], list(declared.tallies)) == (["own_count"], ["own_suspensions"])
    assert len(declared.digest) == 64


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = (", "own_features.py, line 1: the file fails: SyntaxError"),
        ("\nraise ValueError('no')", "own_features.py, line 2: the file fails: ValueError: no"),
        ("FEATURES = []", "FEATURES or TALLIES is missing"),
        ("FEATURES = [1]", "holds something else"),
        (f"{HEAD}{TALLY}FEATURES = [{GOOD}, {GOOD}]", "feature own_count: the name is taken"),
        (
            HEAD + TALLY + f"FEATURES = [{GOOD}]".replace('"own_count"', '"suspensions_90d"'),
            "feature suspensions_90d: the name is taken",
        ),
        (
            HEAD + TALLY + f"FEATURES = [{GOOD}]".replace('"own_count"', '"OwnCount"'),
            "feature OwnCount: the name is not in snake case",
        ),
        (
            HEAD + TALLY + f"FEATURES = [{GOOD}]".replace("behaviour", "weather"),
            "feature own_count: there is no theme weather",
        ),
        (
            HEAD + TALLY + f"FEATURES = [{GOOD}]".replace('("suspensions",)', '("rain",)'),
            "feature own_count: there is no table rain",
        ),
        (
            HEAD + TALLY.replace('"suspensions")', '"rain")') + f"FEATURES = [{GOOD}]",
            "tally own_suspensions: there is no table rain",
        ),
        (
            HEAD + TALLY.replace("own_suspensions", "exclusions") + f"FEATURES = [{GOOD}]",
            "tally exclusions: the name is taken",
        ),
    ],
)
def test_a_fault_names_the_place_the_problem_and_the_remedy(tmp_path, text, says):
    with pytest.raises(Faults, match=says):
        read(write(tmp_path, text))


def test_all_faults_are_reported_together(tmp_path):
    text = HEAD + TALLY.replace('"suspensions")', '"rain")') + f"FEATURES = [{GOOD}]".replace("behaviour", "weather")
    with pytest.raises(Faults) as raised:
        read(write(tmp_path, text))
    assert len(raised.value.faults) == 2


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(Faults, match=r"nowhere.py: there is no such file of features\n +Put the file there"):
        read(tmp_path / "nowhere.py")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            HEAD + TALLY + f"FEATURES = [{GOOD}]".replace('plain("own_suspensions")', 'plain("no_such")'),
            "feature own_count: its expression fails",
        ),
        (
            HEAD + TALLY + f"FEATURES = [{GOOD}]".replace('plain("own_suspensions")', "lambda: 1 / 0"),
            "feature own_count: .*ZeroDivisionError",
        ),
        (
            HEAD + TALLY + f"FEATURES = [{GOOD}]".replace("{own_count:.0f}", "{no_such:.0f}"),
            "its sentence names no_such",
        ),
        (
            HEAD
            + 'TALLIES = {"own_suspensions": Tally(table="suspensions", where=lambda: nw.col("nothing") > 1)}\n'
            + f"FEATURES = [{GOOD}]",
            "tally own_suspensions: its expression fails",
        ),
    ],
)
def test_a_feature_failing_on_the_example_child_is_named_and_the_catalogue_is_unchanged(tmp_path, text, says):
    with pytest.raises(Faults, match=says):
        load_own_features(write(tmp_path, text))
    assert catalogue() is SHIPPED


def test_user_features_come_after_the_shipped_ones_and_are_read_once(tmp_path, monkeypatch):
    file = write(tmp_path, f"{HEAD}{TALLY}FEATURES = [{GOOD}]")
    extended = load_own_features(file)
    assert catalogue() is extended
    assert extended.names == [*SHIPPED.names, "own_count"]
    assert extended.feature_digests(SHIPPED.names) == SHIPPED.feature_digests(SHIPPED.names)
    assert extended.digest != SHIPPED.digest
    monkeypatch.setattr(own_features_trial, "read_own_features", None)
    assert load_own_features(file) is extended
    assert load_own_features(None) is extended


ROWS = {
    "pupils": [{"pupil_id": p, "date_of_birth": "2014-05-01"} for p in "AB"],
    "enrolments": [{"pupil_id": p, "urn": "1", "entry_date": "2018-09-04"} for p in "AB"],
    "suspensions": [{"pupil_id": "A", "urn": "1", "start_date": "2024-12-02", "category": "SUSP"}],
}


@pytest.mark.parametrize("engine", ["polars", "plain"])
@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ('lambda: 1.0 / nw.col("own_suspensions")', [1.0, None]),
        ('lambda: nw.col("own_suspensions") / 0', [None, None]),
        ('lambda: nw.lit(-1.0) / nw.col("own_suspensions")', [-1.0, None]),
        ('plain("own_suspensions")', [1.0, 0.0]),
    ],
)
def test_a_value_that_is_not_finite_is_missing(tmp_path, engine, expression, values):
    """A ridge has no coefficient for infinity, and no bundle can hold one."""
    text = f"{HEAD}{TALLY}FEATURES = [{GOOD}]".replace('plain("own_suspensions")', expression)
    load_own_features(write(tmp_path, text))
    features = matrix(open_on(engine, ROWS, tmp_path / "h"), [date(2025, 1, 13)])
    assert features["own_count"].to_pylist() == values


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("onroll.toml", "this is no TOML ["),
        ("onroll.toml", "no_such_setting = 1"),
        ("onroll.toml", 'features = "nowhere.py"'),
        ("own_features.py", "raise ValueError"),
    ],
)
def test_importing_reads_no_settings_and_runs_no_user_code(tmp_path, name, text):
    (tmp_path / "onroll.toml").write_text('features = "own_features.py"')
    (tmp_path / name).write_text(text)
    code = "import features, features.catalogue, features.matrix, features.spark, training.risk_model"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(len(features.catalogue.catalogue().features))"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(len(SHIPPED.features))), done.stderr
