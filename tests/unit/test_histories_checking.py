"""Every rule that finds nothing in sound histories finds what was made wrong in them."""

import pytest

from histories.checking import check, write_report
from histories.faults import Faults
from histories.identity import check_letter, pseudonym
from histories.opening import Histories
from histories.rules import RULES

SOUND = {
    "pupils": [{"pupil_id": "A", "date_of_birth": "2013-01-01", "upn": "B801200005001", "sex": "F"}],
    "enrolments": [{"pupil_id": "A", "urn": "1", "entry_date": "2020-09-01", "status": "C"}],
    "attendance": [{"pupil_id": "A", "date": "2024-10-01", "session": "AM", "code": "C2"}],
    "sen": [{"pupil_id": "A", "start_date": "2021-01-01", "provision": "K"}],
    "schools": [{"urn": "1", "phase": "primary"}],
    "addresses": [{"pupil_id": "A", "start_date": "2020-01-01", "lsoa": "E1"}],
    "areas": [{"lsoa": "E1", "idaci_decile": 1}],
}
WRONG = {
    "H001": ("enrolments", {"leaving_date": "2020-01-01"}),
    "H061": ("enrolments", None),
    "H062": ("enrolments", {"entry_date": "2013-02-01"}),
    "H063": ("attendance", {"date": "2019-10-01"}),
    "H170": ("enrolments", {"urn": "9"}),
    "H171": ("addresses", {"lsoa": "E9"}),
    "H172": ("attendance", {"date": "2023-10-01"}),
    "H173": ("pupils", {"upn": "A801200005001"}),
}


def found(tables):
    return {f.rule.code for f in check(Histories.from_rows(tables)).findings if f.rows}


def test_sound_histories_break_no_rule():
    assert found(SOUND) == set()


@pytest.mark.parametrize("code", WRONG)
def test_a_rule_finds_what_it_is_for(code):
    table, change = WRONG[code]
    tables = {**SOUND, table: [{**SOUND[table][0], **(change or {})}]}
    if change is None:
        tables[table] = [*SOUND[table], {**SOUND[table][0], "urn": "1", "entry_date": "2021-09-01"}]
    assert code in found(tables)


def test_two_marks_for_a_session_are_found_and_a_correction_is_not():
    (mark,) = SOUND["attendance"]
    assert "H064" in found({**SOUND, "attendance": [mark, {**mark, "code": "I"}]})
    assert "H064" not in found({**SOUND, "attendance": [mark, {**mark, "code": "I", "recorded_on": "2024-10-03"}]})


def test_unknown_codes_and_orphans_are_errors():
    bad = {**SOUND, "sen": [{"pupil_id": "NOBODY", "start_date": "2021-01-01", "provision": "?"}]}
    checked = check(Histories.from_rows(bad))
    assert checked.errors == 2
    assert "NOBODY" not in checked.text()


def test_codes_are_unique_and_every_rule_says_what_to_do():
    assert len({r.code for r in RULES}) == len(RULES)
    assert all(r.do.endswith((".", "?")) and r.title for r in RULES)


def test_the_report_holds_counts_and_no_value(tmp_path):
    write_report(check(Histories.from_rows(SOUND)), tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "H001" in page
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
