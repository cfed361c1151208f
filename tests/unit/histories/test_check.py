"""The check as a whole: silences, the report and its counts. Each rule has a test in ``tests/unit/histories/rules``."""

import pytest

from histories.checks.check import check
from histories.checks.report import write_report
from histories.errors import Faults
from histories.identity import check_letter, pseudonym
from histories.reading.histories import Histories
from tests.support.broken_rules import register, weekdays

SOUND = {
    "pupils": [{"pupil_id": "A", "date_of_birth": "2013-01-01", "upn": "B801200005001", "sex": "F"}],
    "enrolments": [{"pupil_id": "A", "urn": "1", "entry_date": "2020-09-01", "status": "C"}],
    "attendance": [{"pupil_id": "A", "date": "2024-10-01", "session": "AM", "code": "C2"}],
    "sen": [{"pupil_id": "A", "start_date": "2021-01-01", "provision": "K"}],
    "schools": [{"urn": "1", "phase": "primary"}],
    "addresses": [{"pupil_id": "A", "start_date": "2020-01-01", "lsoa": "E1"}],
    "areas": [{"lsoa": "E1", "idaci_decile": 1}],
}


def broken_codes(tables):
    return {f.rule.code for f in check(Histories.from_rows(tables)).findings if f.rows}


def test_sound_histories_break_no_rule():
    assert broken_codes(SOUND) == set()


def test_unknown_codes_and_orphans_are_errors():
    bad = {**SOUND, "sen": [{"pupil_id": "NOBODY", "start_date": "2021-01-01", "provision": "?"}]}
    checked = check(Histories.from_rows(bad, as_written=True))
    assert checked.errors == 2
    assert "NOBODY" not in checked.text()


def test_the_report_holds_counts_and_no_value(tmp_path):
    write_report(check(Histories.from_rows(SOUND)), tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "H020" in page
    assert "B801200005001" not in page


def test_the_check_letter_is_arithmetic():
    assert check_letter("801200005001") == "B"
    assert check_letter("80120000500Z") is not None
    assert check_letter("8012000050012") is None
    assert check_letter("80120000500I") is None


def test_a_pseudonym_needs_a_key():
    assert pseudonym("A", b"k") == pseudonym("A", b"k") != pseudonym("A", b"l")
    with pytest.raises(Faults, match="ONROLL_PSEUDONYM_KEY"):
        pseudonym("A", None)


def test_late_records_are_counted_and_profiled():
    late = [{**m, "recorded_on": "2025-01-10"} for m in register(weekdays("2024-09-09", 5))]
    checked = check(Histories.from_rows({**SOUND, "attendance": late}))
    assert next(f.rows for f in checked.findings if f.rule.code == "H031") == 5
    assert checked.delays["attendance"]["median"] > 100


def test_a_rule_is_silenced_only_with_a_reason(tmp_path):
    from histories.checks.check import load_silences

    (tmp_path / "s.toml").write_text('H011 = "two records are being joined"\n')
    other = {**SOUND["pupils"][0], "pupil_id": "B"}
    histories = Histories.from_rows(
        {
            **SOUND,
            "pupils": [SOUND["pupils"][0], other],
            "enrolments": [*SOUND["enrolments"], {**SOUND["enrolments"][0], "pupil_id": "B"}],
        }
    )
    assert check(histories).errors == 1
    checked = check(histories, load_silences(tmp_path / "s.toml"))
    assert checked.errors == 0
    assert "being joined" in checked.text()
    write_report(checked, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "being joined" in page
    assert "data:image/svg+xml;base64," in page
    assert "B801200005001" not in page


@pytest.mark.parametrize("text", ['H999 = "x"', 'H011 = ""', "H011 = 3", "H011"])
def test_an_invalid_file_of_silences_is_refused(tmp_path, text):
    from histories.checks.check import load_silences

    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(Faults):
        load_silences(tmp_path / "s.toml")


ONE_OF_EACH = {
    **SOUND,
    "enrolments": [
        {**SOUND["enrolments"][0], "leaving_date": "2024-12-01", "destination": "state_school", "nc_year": "3"}
    ],
    "termly_attendance": [
        {"pupil_id": "A", "term_start": "2024-09-02", "term_end": "2024-12-20", "code": "I", "sessions": 3}
    ],
    "suspensions": [{"pupil_id": "A", "urn": "1", "start_date": "2024-10-02", "category": "SUSP", "reason": "PP"}],
    "fsm": [{"pupil_id": "A", "start_date": "2021-01-01"}],
    "social_care": [{"pupil_id": "A", "kind": "cin", "start_date": "2022-01-01"}],
    "admissions": [
        {"pupil_id": "A", "entry_year": 2024, "phase": "secondary", "applied_on": "2023-10-01", "offered_urn": "1"}
    ],
    "cme": [{"pupil_id": "A", "missing_from": "2024-12-02", "reported_on": "2025-01-10"}],
    "interventions": [{"pupil_id": "A", "date": "2025-01-12", "kind": "visit"}],
}


def test_one_row_of_each_table_breaks_no_rule():
    assert broken_codes(ONE_OF_EACH) == set()
