"""The effect of late recording on features: then against now, feature by feature."""

import csv
import json
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.leakage.hindsight import hindsight
from histories.errors import Faults, Usage
from histories.reading.histories import Histories
from serving.cli.main import main
from tests.support.tables import rows

D = date(2025, 1, 13)
TABLES = {
    "pupils": [{"pupil_id": p, "date_of_birth": "2014-05-01"} for p in "ABCDE"],
    "enrolments": rows(
        "enrolments",
        """
        pupil_id | urn | entry_date | leaving_date | recorded_on | leaving_recorded_on
        A        | 1   | 2018-09-04 |              |             |
        B        | 1   | 2018-09-04 |              |             |
        C        | 1   | 2018-09-04 | 2025-01-10   |             | 2025-01-20
        D        | 1   | 2018-09-04 |              |             |
        E        | 1   | 2024-09-04 |              | 2025-01-20  |
    """,
    ),
    "suspensions": rows(
        "suspensions",
        """
        pupil_id | start_date | category | sessions | recorded_on
        A        | 2024-12-02 | SUSP     | 4        | 2025-02-01
        A        | 2024-12-03 | SUSP     | 2        | 2024-12-03
        A        | 2024-12-03 | SUSP     | 3        | 2025-03-01
        B        | 2024-12-03 | SUSP     | 1        | 2025-02-03
        A        | 2025-01-13 | SUSP     | 9        | 2025-01-13
    """,
    ),
}


def compared(known_on=None):
    comparison = hindsight(Histories.from_rows(TABLES), [D], known_on)
    return comparison, {d.feature: d for d in comparison.features}


def test_each_feature_reports_how_many_snapshots_differ_and_by_how_much():
    comparison, of = compared(date(2025, 2, 2))
    sessions, days, now = (of[n] for n in ("suspended_sessions_90d", "days_since_suspension", "permanent_exclusions"))
    assert (comparison.snapshots, comparison.only_then, comparison.only_now) == (3, 1, 1)
    assert (sessions.differ, sessions.moved, sessions.unit) == (1 / 3, 4 / 3, "sessions")
    assert (days.differ, days.missing_then, days.missing_now) == (0, 2 / 3, 2 / 3)
    assert (now.differ, now.moved) == (0, 0)


def test_by_default_every_record_counts():
    comparison, of = compared()
    assert comparison.known == date(2025, 3, 2)
    assert of["suspended_sessions_90d"].differ == 2 / 3
    assert of["suspended_sessions_90d"].moved == (5 + 1) / 3
    assert (of["days_since_suspension"].missing_then, of["days_since_suspension"].missing_now) == (2 / 3, 1 / 3)


def test_the_most_changed_features_come_first():
    comparison, _ = compared()
    shares = [d.differ for d in comparison.features]
    assert shares == sorted(shares, reverse=True)
    assert comparison.features[0].differ > 0


def test_a_day_of_hindsight_before_an_as_of_date_is_refused():
    with pytest.raises(Usage, match="before an as-of date"):
        compared(date(2025, 1, 12))
    with pytest.raises(Faults, match="nobody is in the cohort"):
        hindsight(Histories.from_rows(TABLES), [date(2001, 1, 1)])


def test_the_verb_prints_a_table_or_json_and_writes_a_csv(tmp_path, capsys):
    (tmp_path / "h").mkdir()
    for name, content in TABLES.items():
        pq.write_table(pa.Table.from_pylist(content), tmp_path / "h" / f"{name}.parquet")

    def run(*arguments):
        with pytest.raises(SystemExit) as left:
            main(["features", "h", "--as-of", "2025-01-13", *arguments])
        return left.value.code, capsys.readouterr()

    code, printed = run("--out", "late.csv", "--compare-known")
    assert code == 0
    assert printed.out.startswith("3 snapshots as known then and on 2025-03-02; 1 in the cohort only then, 1 only now")
    assert "suspended_sessions_90d" in printed.out
    with (tmp_path / "late.csv").open() as file:
        written = {r["feature"]: r for r in csv.DictReader(file)}
    assert float(written["suspended_sessions_90d"]["moved"]) == 2
    code, printed = run("--compare-known", "2025-02-02", "--json")
    assert json.loads(printed.out)["known"] == "2025-02-02"
    assert run("--compare-known", "soon")[0] == 2
    assert run("--compare-known", "2025-02-02", "--known", "2025-02-02")[0] == 2
