"""Days long after the newest records: named by the verbs and by ``import onroll``; the summer holidays are not long."""

import json
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from histories.reading.histories import Histories
from histories.reading.recency import LONG, warnings_of_late_days
from serving.cli.main import onroll

ONE = timedelta(days=1)


@pytest.fixture(scope="module")
def opened(small_histories):
    return Histories.open(small_histories)


def test_a_day_is_late_from_the_limit_on(opened):
    newest = opened.last_known()
    assert warnings_of_late_days(opened, [date(2000, 1, 1), newest, newest + LONG]) == []
    (late,) = warnings_of_late_days(opened, [newest, newest + LONG + ONE])
    assert late.startswith(f"as of {newest + LONG + ONE}: the newest records of schooling are of {newest}")
    (several,) = warnings_of_late_days(opened, [date(2040, 1, 9), date(2039, 1, 9), date(2039, 1, 9), newest])
    assert several.startswith("as of 2 days from 2039-01-09 on")


@pytest.mark.parametrize("verb", ["features", "score"])
def test_the_verbs_that_look_from_a_day_warn_of_it(small_histories, bundle, verb):
    words = [verb, str(small_histories), "--as-of", "2040-01-09", "--out", "out.parquet", "--json"]
    done = CliRunner().invoke(onroll, words + (["--model", str(bundle)] if verb == "score" else []))
    assert done.exit_code == 0, done.output
    assert "as of 2040-01-09: the newest records" in done.stderr
    assert any("as of 2040-01-09" in warning for warning in json.loads(done.stdout)["warnings"])
