"""A file of own features is checked whole before it counts, and every fault is said at once."""

import pytest

from features import own_features
from features.catalogue import BY_NAME, TALLIES, THEMES
from histories.errors import Faults

HEAD = "import narwhals as nw\nfrom features.feature import Feature, Tally, plain\n"
TALLY = 'TALLIES = {"own_suspensions": Tally("suspensions")}\n'
GOOD = 'Feature("own_count", "behaviour", plain("own_suspensions"), "{own_count:.0f}", "none", ("suspensions",))'


def load(tmp_path, text):
    file = tmp_path / "own_features.py"
    file.write_text(text)
    return own_features.load(file, BY_NAME, TALLIES, THEMES)


def test_a_good_file_is_taken_with_its_digest(tmp_path):
    found = load(tmp_path, f"{HEAD}{TALLY}FEATURES = [{GOOD}]")
    assert ([f.name for f in found.features], list(found.tallies)) == (["own_count"], ["own_suspensions"])
    assert len(found.digest) == 64


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
            HEAD + TALLY.replace('"suspensions"', '"rain"') + f"FEATURES = [{GOOD}]",
            "tally own_suspensions: there is no table rain",
        ),
        (
            HEAD + TALLY.replace("own_suspensions", "exclusions") + f"FEATURES = [{GOOD}]",
            "tally exclusions: the name is taken",
        ),
    ],
)
def test_a_fault_names_the_file_what_is_wrong_in_it_and_what_to_do(tmp_path, text, says):
    with pytest.raises(Faults, match=says):
        load(tmp_path, text)


def test_all_faults_are_said_at_once(tmp_path):
    text = HEAD + TALLY.replace('"suspensions"', '"rain"') + f"FEATURES = [{GOOD}]".replace("behaviour", "weather")
    with pytest.raises(Faults) as raised:
        load(tmp_path, text)
    assert len(raised.value.faults) == 2


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(Faults, match=r"nowhere.py: there is no such file of features\n +Put the file there"):
        own_features.load(tmp_path / "nowhere.py", BY_NAME, TALLIES, THEMES)


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
            + 'TALLIES = {"own_suspensions": Tally("suspensions", lambda: nw.col("nothing") > 1)}\n'
            + f"FEATURES = [{GOOD}]",
            "tally own_suspensions: its expression fails",
        ),
    ],
)
def test_what_fails_on_a_made_up_child_is_named(tmp_path, monkeypatch, text, says):
    found = load(tmp_path, text)
    monkeypatch.setattr("features.catalogue.TALLIES", {**TALLIES, **found.tallies})
    monkeypatch.setattr("features.catalogue.BY_NAME", {**BY_NAME, **{f.name: f for f in found.features}})
    with pytest.raises(Faults, match=says):
        own_features.try_out(found)
