"""The Commissioner's table: its figures, what it hides, and that no figure depends on hidden counts."""

import csv
import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from features import Definition
from features.groups.disclosure import SMALLEST, rounded
from histories.errors import Faults
from histories.reading.histories import Histories
from serving.cli import main
from tests.support.rolls_that_go_on import going_on
from training.description import commissioner_table, definitions_table, describing
from training.description.definitions import compare
from training.description.describing import PUBLISHED, describe, describe_snapshots
from training.measures.intervals import ROUNDING, relative_risk, rounded_share

DAY = [date(2025, 1, 13)]


def frame(*groups, name="sen"):
    """Build snapshots from (value, children, missing), one pupil per row."""
    values = [(v, float(n < missing)) for v, children, missing in groups for n in range(children)]
    return pl.DataFrame(
        {
            "pupil_id": [str(n) for n in range(len(values))],
            "label": [y for _, y in values],
            name: [v for v, _ in values],
        }
    )


@pytest.fixture(scope="module")
def table():
    return describe_snapshots(frame(("none", 8401, 42), ("support", 1203, 22), ("plan", 400, 3)), DAY, "mine", 120)


def row(table, value):
    return next(r for r in table.rows if r.value == value)


def test_a_rate_is_compared_with_the_rate_of_all_others(table):
    any_need = row(table, "any")
    assert (any_need.children, any_need.missing) == (1605, 25)
    assert any_need.relative_risk == relative_risk(25, 1605, 65 - 25, 10005 - 1605, rounding=ROUNDING)
    assert any_need.rate == rounded_share(25, 1605)
    assert any_need.against_all == pytest.approx((25 / 1605) / (65 / 10005))
    assert any_need.published is PUBLISHED[0]


def test_small_counts_and_whatever_reveals_them_are_hidden_everywhere(table, tmp_path):
    assert (row(table, "plan").missing, row(table, "support").missing, row(table, "none").missing) == (None, None, 40)
    assert row(table, "support").children == 1205
    assert [row(table, "support").rate, row(table, "support").relative_risk, row(table, "support").against_all] == [
        None
    ] * 3
    commissioner_table.save_csv(table, tmp_path / "t.csv")
    cells = {r["value"]: r for r in csv.DictReader((tmp_path / "t.csv").open(encoding="utf-8"))}
    assert (cells["plan"]["missing"], cells["plan"]["rate"], cells["plan"]["relative_risk"]) == ("[c]", "[c]", "[c]")
    assert json.loads(json.dumps(table.to_dict()))["groups"][0]["rows"][3]["missing"] is None


def test_all_figures_follow_from_printed_counts(table):
    # Two populations with the same printed counts print the same, to the last digit.
    other = describe_snapshots(frame(("none", 8399, 41), ("support", 1205, 20), ("plan", 399, 4)), DAY, "mine", 120)
    assert other.to_dict() == table.to_dict()


def test_nearly_all_discloses_as_much_as_nearly_none():
    table = describe_snapshots(frame(("none", 5000, 900), ("support", 60, 55), ("plan", 700, 90)), DAY, "mine", 120)
    assert row(table, "support").missing is None


@pytest.mark.parametrize("values", [("801", 900, 9), ("=HYPERLINK(1)", 900, 9)])
def test_the_text_and_the_picture_hold_every_row(values, tmp_path):
    table = describe_snapshots(frame(values, ("802", 3000, 60), ("803", 500, 2), name="authority"), DAY, "mine", 120)
    text = commissioner_table.text(table)
    assert "[c]" in text
    assert "802" in text
    for kind in ("png", "svg"):
        commissioner_table.save_plot(table, tmp_path / f"plot.{kind}")
        assert (tmp_path / f"plot.{kind}").stat().st_size > 5000
    commissioner_table.save_csv(table, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8") as file:
        assert not [c for r in csv.reader(file) for c in r if c.startswith(("=", "+", "@"))]


def test_printed_relative_risks_cover_the_truth_in_made_up_worlds():
    rng, n = np.random.Generator(np.random.PCG64(5)), {"none": 6000, "support": 1000, "plan": 300}
    risk = {"none": 0.004, "support": 0.012, "plan": 0.02}
    truth = {v: risk[v] / (sum(n[o] * risk[o] for o in n if o != v) / sum(n[o] for o in n if o != v)) for v in n}
    inside = []
    for _ in range(150):
        table = describe_snapshots(frame(*((v, n[v], rng.binomial(n[v], risk[v])) for v in n)), DAY, "mine", 120)
        intervals = {r.value: r.relative_risk for r in table.rows if r.value in n and r.relative_risk}
        inside += [i.low <= truth[v] <= i.high for v, i in intervals.items()]
    assert len(inside) > 200
    assert 0.92 <= np.mean(inside) <= 0.99


def test_a_day_with_an_open_window_is_refused_with_the_newest_possible_day(small_histories):
    with pytest.raises(Faults, match="no later than"):
        describe(Histories.open(small_histories), [date(2025, 11, 10)])


def test_the_verb_prints_json_and_writes_what_is_asked(small_histories, tmp_path, capsys):
    arguments = ["describe", str(small_histories), "--as-of", "2025-01-13", "--out", "t.csv", "--plot", "p.svg"]
    with pytest.raises(SystemExit) as left:
        main.main([*arguments, "--json"])
    output = json.loads(capsys.readouterr().out)
    assert left.value.code == 0
    assert {g["group"] for g in output["groups"]} >= {"sex", "ethnicity", "sen", "social_care", "idaci_fifth", "age"}
    counts = [r[c] for g in output["groups"] for r in g["rows"] for c in ("children", "missing")]
    assert all(c is None or (c > SMALLEST and c == rounded(c)) for c in counts)
    assert (tmp_path / "t.csv").exists()
    assert (tmp_path / "p.svg").exists()
    with pytest.raises(SystemExit) as left:
        main.main([*arguments[:4], "--plot", "p.txt"])
    assert left.value.code == 2


@pytest.fixture(scope="module")
def one_stopped():
    """Return histories of two authorities, of which one has sent no rolls since November 2024; four of its children had left before the day, unknown to anybody."""
    weeks = [date(2023, 9, 4) + timedelta(weeks=n) for n in range(110)]
    pupils = [
        {"pupil_id": f"{a}{n}", "date_of_birth": "2014-05-01", "authority": a}
        for a in ("801", "802")
        for n in range(30)
    ]
    spells = [
        {"pupil_id": p["pupil_id"], "urn": p["authority"], "entry_date": "2018-09-04", "recorded_on": "2018-09-04"}
        for p in pupils
    ]
    for spell in spells[:4]:
        spell |= {"leaving_date": "2025-01-03", "leaving_recorded_on": "2025-02-03", "destination": "state_school"}
    marks = [{"pupil_id": "8010", "date": str(d), "session": "AM", "code": "/"} for d in (weeks[0], weeks[-1])]
    schools = [{"urn": a, "phase": "primary", "authority": a} for a in ("801", "802")]
    tables = {"pupils": pupils, "enrolments": spells, "attendance": marks, "schools": schools}
    tables = going_on(tables, *weeks, urn="801", authority="801")
    stopped = [day for day in weeks if day < date(2024, 11, 1)]
    return Histories.from_rows(going_on(tables, *stopped, urn="802", authority="802"))


def test_children_in_no_figure_are_counted_and_the_reason_is_said(one_stopped):
    described = describe(one_stopped, DAY)
    assert described.children == 25
    counted, why = described.without_outcome
    assert counted == "Children of the cohort in no figure above: 30 whose outcome is not known."
    assert why.startswith("authority 802: the rolls go on until 2024-10-28 only")
    assert counted in commissioner_table.text(described)
    assert described.to_dict()["without_outcome"] == described.without_outcome


def test_who_is_outside_the_ages_is_counted_together_whatever_became_of_them():
    became = ["stayed"] * 6 + ["abroad"] * 5 + ["left_before"] * 7
    labels = pl.DataFrame({"label": [None] * 18 + [0.0], "outcome": [*became, "stayed"]})
    told = "Children of the cohort in no figure above: 10 outside the definition's ages."
    assert describing._without_outcome(labels) == [told]


def test_definitions_are_compared_with_the_same_words(one_stopped):
    comparison = compare(one_stopped, [Definition.load(), Definition.load("commissioner")], DAY)
    (why,) = comparison.without_outcome
    assert why.startswith("authority 802: the rolls go on until 2024-10-28 only")
    assert why in definitions_table.text(comparison)
    assert comparison.to_dict()["without_outcome"] == [why]
