"""Help in the simulation: whom it reaches, what it changes, and that nothing else moves."""

import hashlib
from datetime import date, timedelta

import polars as pl
import pytest

from features import Definition, label
from histories.checks.check import check
from histories.errors import Faults
from histories.population.simulation import simulate
from histories.reading.histories import Histories

SINCE, FIRST, WEEKS = date(2024, 9, 1), 30, 26
SIZE = {"pupils": 600, "years": 2, "authorities": 2, "seed": 9}
# Without marks, which take most of the time, and with ten times as many crises, so that a few hundred children are enough.
REST = "[tables]\nmissing = ['attendance']\n[latent]\ncrisis_rate = 0.0001\n"


def world(folder, text="", **size):
    """Simulate a population with a part ``help`` and return its folder."""
    folder.mkdir(exist_ok=True)
    scenario = folder / "s.toml"
    scenario.write_text(f"title = 's'\n{text}\n{REST}")
    simulate(folder / "h", scenario=str(scenario), truth=True, truth_since=SINCE, **{**SIZE, **size})
    return folder / "h"


def digests(folder, without=()):
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir() if f.stem not in without}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return world(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def helped(tmp_path_factory):
    """Help that ends all risk of going missing while it works."""
    text = f"[help]\nfirst = {FIRST}\nsince = {SINCE}\nfactor = 0.0\nweeks = {WEEKS}\n"
    return world(tmp_path_factory.mktemp("helped"), text)


def test_help_without_effect_changes_no_other_table(tmp_path, plain):
    again = world(tmp_path, f"[help]\nfirst = {FIRST}\nsince = {SINCE}\nfactor = 1.0\n")
    assert digests(again, ("interventions", "truth")) == digests(plain, ("truth",))
    truth, before = (pl.read_parquet(f / "truth.parquet") for f in (again, plain))
    assert before.columns == ["pupil_id", "as_of", "risk"]
    assert truth.drop("risk_with_help").equals(before)
    assert truth["risk"].equals(truth["risk_with_help"].alias("risk"))


def test_each_list_helps_its_first_children_a_week_later(helped):
    actions = pl.read_parquet(helped / "interventions.parquet")
    authority = pl.read_parquet(helped / "pupils.parquet").select("pupil_id", "authority")
    truth = pl.read_parquet(helped / "truth.parquet")
    lists = {d + timedelta(days=7): d for d in truth["as_of"].unique() if d >= SINCE}
    assert set(actions["date"]) == set(lists)
    assert actions["recorded_on"].equals(actions["date"].alias("recorded_on"))
    counts = actions.join(authority, on="pupil_id").group_by("date", "authority").len()["len"]
    assert FIRST * 0.9 <= counts.min() <= counts.max() == FIRST  # some leave between the list and the help
    of_lists = actions.with_columns(pl.col("date").replace_strict(lists, return_dtype=pl.Date).alias("as_of"))
    both = truth.join(of_lists, on=["pupil_id", "as_of"], how="left")
    by = both.filter(pl.col("as_of") >= SINCE).group_by(pl.col("kind").is_not_null()).agg(pl.col("risk").mean())
    mean = dict(by.iter_rows())
    assert mean[True] > 10 * mean[False]


def test_children_who_left_between_the_list_and_the_help_are_not_helped(tmp_path):
    """Help comes ten weeks later, so that some have left: all who get it are on a roll, in the week it comes."""
    folder = world(tmp_path, f"[help]\nfirst = {FIRST}\nsince = {SINCE}\nfactor = 1.0\nafter_days = 70\n")
    actions = pl.read_parquet(folder / "interventions.parquet")
    spells = pl.read_parquet(folder / "enrolments.parquet").select("pupil_id", "entry_date", "leaving_date")
    week = pl.col("date") - timedelta(days=14)  # a move of school leaves up to two weeks on no roll
    there = (pl.col("entry_date") <= pl.col("date")) & (
        pl.col("leaving_date").is_null() | (pl.col("leaving_date") >= week)
    )
    on_roll = actions.join(spells, on="pupil_id").filter(there)["pupil_id", "date"].unique()
    assert len(on_roll) == len(actions)
    assert actions.group_by("date").len()["len"].min() < 2 * FIRST


def test_helped_children_do_not_go_missing_while_it_works(helped, plain):
    def gone(folder):
        actions = pl.read_parquet(helped / "interventions.parquet").select("pupil_id", "date")
        left = pl.read_parquet(folder / "enrolments.parquet").filter(
            pl.col("destination").is_in(["missing_education", "unknown"])
        )
        both = left.join(actions, on="pupil_id")
        working = pl.col("leaving_date").is_between(pl.col("date"), pl.col("date") + timedelta(days=7 * WEEKS - 1))
        return both.filter(working)["pupil_id"].n_unique()

    assert gone(helped) == 0
    assert gone(plain) >= 3


def test_the_truth_has_the_risk_without_and_with_help(helped):
    histories = Histories.open(helped)
    truth = pl.read_parquet(helped / "truth.parquet").filter(pl.col("as_of") >= SINCE)
    actions = pl.read_parquet(helped / "interventions.parquet").select("pupil_id", "date")
    after = pl.col("date") - pl.col("as_of")
    soon = truth.join(actions, on="pupil_id").filter(after == timedelta(days=7))
    rest = truth.join(actions, on="pupil_id", how="anti")
    assert (soon["risk_with_help"] <= soon["risk"]).all()
    assert soon["risk_with_help"].sum() < 0.3 * soon["risk"].sum()
    assert rest["risk"].equals(rest["risk_with_help"].alias("risk"))
    days = sorted(truth["as_of"].unique())
    labels = pl.from_arrow(label(histories, days, Definition.load())).drop_nulls("label")
    both = labels.join(truth, on=["pupil_id", "as_of"])
    expected, seen = both["risk_with_help"].sum(), both["label"].sum()
    assert abs(seen - expected) < 5 * expected**0.5 + 3


def test_help_that_works_beyond_the_last_day_ends_when_it_would_have_ended(tmp_path):
    """Two weeks of help begin in the last week of records; the window goes on for months."""
    day, text = date(2025, 9, 8), f"[help]\nfirst = {FIRST}\nsince = {SINCE}\nfactor = 0.0\nweeks = 2\n"
    short, long = (
        world(tmp_path / str(last), text, pupils=200, years=1, last_day=last)
        for last in (date(2025, 9, 19), date(2025, 12, 31))
    )
    truths = [pl.read_parquet(folder / "truth.parquet").filter(pl.col("as_of") == day) for folder in (short, long)]
    both = truths[0].join(truths[1], on=["pupil_id", "as_of", "risk"])
    helped = both.filter(pl.col("risk_with_help") < pl.col("risk"))
    assert len(both) > 100
    assert len(helped) >= FIRST
    assert both["risk_with_help"].equals(both["risk_with_help_right"].alias("risk_with_help"))
    assert helped["risk_with_help"].sum() > 0.5 * helped["risk"].sum(), "two weeks of seventeen"


def test_the_helped_world_is_the_same_each_time_and_breaks_no_rule(tmp_path, helped):
    text = f"[help]\nfirst = {FIRST}\nsince = {SINCE}\nfactor = 0.0\nweeks = {WEEKS}\n"
    assert digests(world(tmp_path, text)) == digests(helped)
    checked = check(Histories.open(helped))
    assert checked.errors == 0, checked.text()


def test_a_table_of_actions_gives_the_same_world_as_the_lists_that_led_to_it(tmp_path, helped):
    (tmp_path / "done.parquet").write_bytes((helped / "interventions.parquet").read_bytes())
    text = f"[help]\nactions = 'done.parquet'\nfactor = 0.0\nweeks = {WEEKS}\n"
    assert digests(world(tmp_path, text)) == digests(helped)


def test_the_first_of_given_lists_are_helped(tmp_path, plain):
    pupils = pl.read_parquet(plain / "truth.parquet").filter(pl.col("as_of") == date(2025, 1, 13))["pupil_id"].head(3)
    rows = {"pupil_id": pupils, "as_of": [date(2025, 1, 13)] * 3, "rank": [1, 2, 3]}
    pl.DataFrame(rows).write_csv(tmp_path / "lists.csv")
    folder = world(tmp_path, "[help]\nfirst = 2\nranking = 'lists.csv'\nafter_days = 3\n")
    actions = pl.read_parquet(folder / "interventions.parquet")
    assert sorted(actions["pupil_id"]) == sorted(pupils[:2])
    assert actions["date"].to_list() == [date(2025, 1, 16)] * 2


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ("pupil_id,date,kind\nP9999999,2025-01-06,visit\n", "1 rows are of children who are not in this population"),
        ("pupil_id,date,kind\n,2025-01-06,visit\n", "1 rows have an empty value"),
        ("pupil_id,kind\nP1,visit\n", "the table cannot be read"),
        (None, "the table cannot be read"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_without_naming_a_child(tmp_path, table, what):
    if table:
        (tmp_path / "done.csv").write_text(table)
    with pytest.raises(Faults, match=what) as refused:
        world(tmp_path, "[help]\nactions = 'done.csv'\n", pupils=100, years=1)
    assert "P9999999" not in str(refused.value)
