"""Comparison of definitions: who counts by each, when it is known, and the overlap of their lists."""

import json
from datetime import date, timedelta

import pytest

from features import Definition
from histories.errors import Faults
from histories.reading.histories import Histories
from serving.cli import main
from tests.support.rolls_that_go_on import going_on
from training.description.definitions import compare
from training.description.definitions_table import text

DAYS = [date(2023, 1, 16), date(2023, 9, 11), date(2024, 4, 22), date(2024, 9, 9)]
# In turn: stays, goes missing, destination unknown, educated at home, a case on the register, moves away.
ENDS = [None, "missing_education", "unknown", "home_education", "case", "abroad"]


def histories(pupils=240, without=()):
    children, spells, cases = [], [], []
    for n in range(pupils):
        end, day = ENDS[n % 6], DAYS[n // 6 % 4] + timedelta(days=20)
        children.append({"pupil_id": f"P{n}", "date_of_birth": "2013-05-01", "authority": "801"})
        spell = {"pupil_id": f"P{n}", "urn": "1", "entry_date": "2018-09-04"}
        if end and end != "case":
            spell |= {
                "leaving_date": day.isoformat(),
                "destination": end,
                "leaving_recorded_on": (day + timedelta(days=30)).isoformat(),
            }
        if end == "case":
            cases.append(
                {
                    "pupil_id": f"P{n}",
                    "missing_from": day.isoformat(),
                    "reported_on": (day + timedelta(days=10)).isoformat(),
                }
            )
        spells.append(spell)
    late = [{"pupil_id": "P0", "start_date": "2025-09-01", "category": "SUSP"}]
    tables = {"pupils": children, "enrolments": spells, "cme": cases, "suspensions": late}
    tables = going_on(tables, "2025-09-01", urn="1", cases=["2025-09-01"])
    return Histories.from_rows({t: rows for t, rows in tables.items() if t not in without})


@pytest.fixture(scope="module")
def comparison():
    return compare(histories(), [Definition.load(n) for n in Definition.shipped()], DAYS, capacity=0.1)


def test_each_definition_counts_its_outcomes(comparison):
    assert {c.definition.name: c.counted for c in comparison.counted} == {
        "any_unplanned_exit": 120,
        "cme_register": 40,
        "commissioner": 40,
        "commissioner_or_unknown": 80,
        "statutory": 120,
    }
    outcomes = next(c.outcomes for c in comparison.counted if c.definition.name == "commissioner")
    assert outcomes["abroad"] == outcomes["home_education"] == outcomes["missing_education"] == 40


def test_overlaps_are_of_the_same_snapshots(comparison):
    pairs = {(o.first, o.second): o for o in comparison.overlaps}
    nested = pairs["commissioner", "commissioner_or_unknown"]
    assert (nested.both, nested.only_first, nested.only_second, nested.jaccard) == (40, 0, 40, 0.5)
    apart = pairs["cme_register", "commissioner"]
    assert (apart.both, apart.only_first, apart.only_second, apart.jaccard) == (0, 40, 40, 0.0)
    assert len(pairs) == 10


def test_a_longer_wait_is_known_later(comparison):
    days = {c.definition.name: (c.days_known["median"], c.days_known["nine_tenths"]) for c in comparison.counted}
    assert days["commissioner"] == (180, 180)
    assert days["cme_register"] == (210, 210)


def test_lists_of_models_are_compared(comparison):
    assert comparison.judged_on == DAYS[-2:]
    assert {m.definition for m in comparison.learned} == set(Definition.shipped())
    for model in comparison.learned:
        assert model.in_common[model.definition] == 1.0
        assert model.judged_by[model.definition] == pytest.approx(model.average_precision.value)
        assert model.precision.low <= model.precision.value <= model.precision.high
    json.dumps(comparison.to_dict())
    assert "Jaccard" in text(comparison)


def test_a_definition_that_needs_a_table_that_is_not_there_is_left_out_and_not_nought():
    both = [Definition.load(n) for n in ("cme_register", "commissioner")]
    comparison = compare(histories(60, without=["cme"]), both, DAYS[:1])
    assert [c.definition.name for c in comparison.counted] == ["commissioner"]
    assert set(comparison.left_out) == {"cme_register", "models"}


def test_without_a_known_window_the_comparison_is_refused():
    with pytest.raises(Faults, match="no window"):
        compare(histories(30), [Definition.load()], [date(2025, 8, 25)])


def test_the_verb_takes_definitions_by_path(small_histories, tmp_path, capsys):
    (tmp_path / "mine.toml").write_text("title = 'x'\ntext = 'x'\nsource = 'x'\ndestinations = ['abroad']\n")
    with pytest.raises(SystemExit) as left:
        main.main(["definitions", str(small_histories), "--as-of", "2025-01-13", "--definition", "mine.toml", "--json"])
    assert left.value.code == 0
    output = json.loads(capsys.readouterr().out)
    assert {d["name"] for d in output["definitions"]} == {*Definition.shipped(), "mine"}
    assert all(d["source"] for d in output["definitions"])
    with pytest.raises(SystemExit) as left:
        main.main(["definitions", str(small_histories), "--definition", "mine.toml", "--definition", "./mine.toml"])
    assert left.value.code == 2
