"""What was asked and not answered is told: days and children outside the cohort, an option given twice, a name that says another format."""

import json
from datetime import date

import polars as pl
import pytest
from click.testing import CliRunner

from features.outcome.not_in_cohort import warnings_of_empty_days
from histories.errors import Faults, Usage
from histories.reading.histories import Histories
from histories.reading.recency import warnings_of_late_days
from serving.cli.main import onroll
from training.description.describing import describe

BEFORE, DAY = date(2001, 1, 8), "2025-03-03"
CHILD = {
    "pupils": [{"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801"}],
    "enrolments": [{"pupil_id": "A", "urn": "1", "entry_date": "2018-09-04"}],
}
LEFT = {"pupil_id": "B", "date_of_birth": "2014-05-01"}, {"pupil_id": "C", "date_of_birth": "1999-05-01"}


def run(*words):
    return CliRunner().invoke(onroll, [str(word) for word in words])


@pytest.mark.parametrize("verb", ["features", "score"])
def test_a_day_without_a_cohort_is_told(small_histories, bundle, tmp_path, verb):
    with_model = ["--model", bundle] if verb == "score" else []
    done = run(verb, small_histories, "--as-of", BEFORE, "--out", tmp_path / "o.parquet", "--json", *with_model)
    assert done.exit_code == 0, done.output
    assert pl.read_parquet(tmp_path / "o.parquet").is_empty()
    assert any(f"as of {BEFORE}: nobody is in the cohort" in w for w in json.loads(done.stdout)["warnings"])


def test_of_several_days_those_without_a_cohort_are_told():
    assert warnings_of_empty_days([BEFORE], [BEFORE]) == []
    (two,) = warnings_of_empty_days([date(2002, 1, 7), BEFORE, date(2025, 1, 6)], [date(2025, 1, 6)])
    assert two.startswith(f"as of 2 days from {BEFORE} on: nobody")


def test_describe_says_that_nobody_is_there_and_not_that_the_day_is_too_new(small_histories):
    with pytest.raises(Faults) as refused:
        describe(Histories.open(small_histories), [BEFORE])
    assert "nobody is in the cohort" in str(refused.value)
    assert "fully known" not in str(refused.value)


@pytest.mark.parametrize(
    ("more", "left"),
    [((), 0), (LEFT[:1], 1), (LEFT, 2), (({"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801"},), 0)],
)
def test_posted_children_without_a_score_are_counted(service, more, left):
    histories = {**CHILD, "pupils": [*CHILD["pupils"], *more]}
    answer = service.post("/api/v1/score", json={"as_of": DAY, "histories": histories}).json()
    told = [w for w in answer["warnings"] if "have no score" in w]
    assert [s["pupil_id"] for s in answer["scores"]] == ["A"]
    assert [w.split(" are ")[0] for w in told] == ([f"tables.pupils: {left} of {1 + left} pupils"] if left else [])


def test_records_that_are_none_have_no_day():
    (none,) = warnings_of_late_days(
        Histories.from_rows({"pupils": [], "enrolments": []}, plain=False), [date(2025, 3, 3)]
    )
    assert "1970" not in none
    assert "no record of schooling" in none


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["score", "h", "--as-of", "2025-03-03", "--as-of", "2025-04-07", "--out", "s.parquet"], "score --as-of"),
        (["score", "h", "--as-of", "2025-03-03", "--out", "a.parquet", "--out=s.parquet"], "score --out"),
        (["train", "h", "--definition", "statutory", "--definition", "commissioner"], "train --definition"),
        (
            ["train", "h", "--horizon=90", "--as-of", "2025-01-06", "--as-of", "2025-04-07", "--horizon", "60"],
            "--horizon",
        ),
        (["trial", "stop", "autumn", "--reason", "a", "--reason", "b"], "trial stop --reason"),
        (
            ["keys", "create", "--role", "lead", "--urn", "1", "--urn", "2", "--authority", "1", "--authority", "2"],
            "--authority",
        ),
    ],
)
def test_an_option_of_one_value_is_given_once(words, where):
    done = run(*words)
    assert isinstance(done.exception, Usage), done.output
    assert [f.what for f in done.exception.faults] == ["the option is given twice, and takes one value"]
    assert where in str(done.exception)


@pytest.mark.parametrize("verb", ["features", "score"])
@pytest.mark.parametrize("name", ["s.csv", "S.CSV.GZ", "list.xlsx", "s.json"])
def test_no_parquet_file_has_the_name_of_another_format(verb, name):
    done = run(verb, "h", "--as-of", DAY, "--out", name)
    assert isinstance(done.exception, Usage)
    assert "the file is Parquet" in str(done.exception)
