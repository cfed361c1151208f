"""Nothing recorded on or after a day changes a feature as of that day, and a feature that leaks is named."""

import hashlib
import json
import sys
from datetime import date

import narwhals as nw
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.leakage.future import KINDS, has_clock, other_future
from features.leakage.leaks import leaks
from histories.calendar import day_number, day_of
from histories.reading import as_of as time_rule
from histories.reading.histories import Histories
from histories.tables import TABLES
from serving.cli.main import main

D = date(2025, 1, 13)


@settings(max_examples=8)
@given(seed=st.integers(0, 2**31))
def test_a_rewritten_future_changes_no_feature_and_no_member_of_the_cohort(small_histories, seed):
    proof = leaks(Histories.open(small_histories), D, seed=seed, engine="polars")
    assert (proof.leaks, proof.features >= 100, proof.snapshots > 100) == ([], True, True)


def test_the_rewritten_future_changes_every_table_with_recording_dates_in_every_way(small_histories):
    proof = leaks(Histories.open(small_histories), D, engine="polars")
    clocked = {t for t in Histories.open(small_histories).present if has_clock(t)}
    assert {"attendance", "enrolments", "social_care", "admissions"} <= clocked
    for table in clocked - {"cme"}:  # of so few pupils nobody was missing
        can = {k for k, n in proof.rows[table].items() if n}
        ends = {"ended"} if TABLES[table].end or TABLES[table].stages else set()
        assert can >= {"corrected", "added", "newcomers", *ends}, table
        assert can >= {"changed", "deleted"} or table in ("admissions", "fsm"), table
    assert proof.rows["pupils"]["newcomers"]


def moved_by(monkeypatch, histories, table, leaky):
    """Prove with a leaky rule of time for one table, and return the leaks."""
    real = time_rule.visible_each_day

    def visible(opened, name, days, known_on=None):
        return leaky(real, opened, days) if name == table else real(opened, name, days, known_on)

    monkeypatch.setattr(sys.modules["features.counting.tallies"], "visible_each_day", visible)
    return {(x.feature, x.table, x.kind) for x in leaks(Histories.open(histories), D, engine="polars").leaks}


def test_a_feature_that_reads_ends_before_they_were_recorded_is_named(small_histories, monkeypatch):
    def ends(real, histories, days):
        rows = real(histories, "social_care", days).drop("end_date")
        key = list(TABLES["social_care"].key)
        ends = histories.frame("social_care").select(*key, "end_date").unique(subset=key, keep="any")
        return rows.join(ends, on=key, how="left")

    moved = moved_by(monkeypatch, small_histories, "social_care", ends)
    assert ("days_since_care_closed", "social_care", "ended") in moved
    assert {table for _, table, _ in moved} == {"social_care"}


def test_a_feature_that_uses_event_dates_instead_of_recording_dates_is_named(small_histories, monkeypatch):
    def happened(real, histories, days):
        given = histories.given(pa.table({"as_of": pa.array(days, pa.int32())}))
        rows = histories.frame("suspensions").join(given, how="cross")
        return rows.with_columns((nw.col("as_of") - nw.col("start_date")).alias("age")).filter(nw.col("age") >= 1)

    moved = moved_by(monkeypatch, small_histories, "suspensions", happened)
    assert {("suspensions_365d", "suspensions", k) for k in ("corrected", "added")} <= moved
    assert {table for _, table, _ in moved} == {"suspensions"}


def test_a_leak_from_a_later_day_of_the_same_run_is_caught(small_histories, monkeypatch):
    def lent(real, histories, days):
        return real(histories, "suspensions", days, day_of(max(days)))

    moved = moved_by(monkeypatch, small_histories, "suspensions", lent)
    assert ("suspensions_365d", "suspensions", "added") in moved


def test_the_same_seed_writes_the_same_future(small_histories):
    one, other = (leaks(Histories.open(small_histories), D, seed=5, engine="polars") for _ in range(2))
    assert one == other


@pytest.mark.parametrize("table", [t for t in TABLES if TABLES[t].end])
def test_no_column_reveals_that_an_end_was_recorded_later(table):
    declared = TABLES[table]
    row = {
        c.name: "2024-10-01" if c.kind == "date" else "x"
        for c in declared.columns.values()
        if c.kind in ("date", "text")
    }
    row |= {"pupil_id": "A", **dict.fromkeys(declared.end_known_from, "2025-01-13"), declared.end: "2025-01-13"}
    given = {"pupils": [], "enrolments": [], table: [row]}
    histories, snapshots = (
        Histories.from_rows(given, as_written=True),
        pl.DataFrame({"pupil_id": ["A"], "as_of": [day_number(D)]}),
    )
    seen = time_rule.visible(histories, table, nw.from_native(snapshots.lazy())).collect().to_native()
    ends = {*declared.end_columns, *declared.end_known_from, "end_known"}
    assert [{c for c in ends if r[c] is not None} for r in seen.to_dicts()] == [set()]


def test_a_rewritten_future_leaves_the_past_unchanged(small_histories):
    frame = pl.DataFrame(
        {
            "pupil_id": ["A", "A", "B"],
            "date": [10, 19, 10],
            "session": ["AM"] * 3,
            "code": ["/"] * 3,
            "recorded_on": [None, None, 20],
            "known": [10, 19, 20],
        },
        schema_overrides=dict.fromkeys(("date", "recorded_on", "known"), pl.Int32),
    )
    rewritten, touched = other_future("attendance", frame, 20, KINDS, 1)
    past = rewritten.filter(pl.coalesce("recorded_on", "date") < 20)
    assert past.sort("date").equals(frame.filter(pl.col("known") < 20).select(rewritten.columns))
    assert sum(touched.values()) >= 3


def digest(folder):
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir()}


def test_the_verb_prints_the_proof_and_leaves_the_histories_unchanged(small_histories, capsys):
    before = digest(small_histories)
    with pytest.raises(SystemExit) as left:
        main(["leaks", str(small_histories), "--as-of", "2025-01-13", "--pupils", "150", "--json"])
    proof = json.loads(capsys.readouterr().out)
    assert (left.value.code, proof["holds"], proof["leaks"], digest(small_histories)) == (0, True, [], before)
    assert 100 < proof["pupils"] <= 150
    assert proof["as_of"] == "2025-01-13"


def test_the_verb_exits_with_1_if_a_feature_leaks(small_histories, capsys, monkeypatch):
    real = time_rule.visible_each_day

    def late(histories, table, days, known_on=None):
        return real(histories, table, days, date(2026, 1, 1) if table == "sen" else known_on)

    monkeypatch.setattr(sys.modules["features.counting.tallies"], "visible_each_day", late)
    with pytest.raises(SystemExit) as left:
        main(["leaks", str(small_histories), "--as-of", "2025-01-13", "--engine", "polars"])
    output = capsys.readouterr().out
    assert left.value.code == 1
    assert "sen: rows known before the day are corrected on the day or later" in output
