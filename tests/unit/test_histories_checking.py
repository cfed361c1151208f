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


def register(days, code="/", pupil="A", recorded=None):
    return [{"pupil_id": pupil, "date": d, "session": "AM", "code": code, "recorded_on": recorded} for d in days]


def weekdays(first, many):
    from datetime import date, timedelta

    days = (date.fromisoformat(first) + timedelta(days=n) for n in range(many))
    return [d.isoformat() for d in days if d.weekday() < 5]


def test_marks_on_a_weekend_are_found():
    assert "H080" in found({**SOUND, "attendance": register(["2024-10-05"])})
    assert "H080" not in found({**SOUND, "attendance": register(["2024-10-04", "2024-10-07"])})


def test_a_upn_of_two_pupils_is_an_error():
    other = {**SOUND["pupils"][0], "pupil_id": "B"}
    assert "H081" in found({**SOUND, "pupils": [SOUND["pupils"][0], other]})


def test_a_school_that_stopped_sending_is_found():
    pupils = [*SOUND["pupils"], {"pupil_id": "B", "date_of_birth": "2013-01-01"}]
    rolls = [*SOUND["enrolments"], {"pupil_id": "B", "urn": "2", "entry_date": "2020-09-01"}]
    tables = {
        **SOUND,
        "pupils": pupils,
        "enrolments": rolls,
        "schools": [*SOUND["schools"], {"urn": "2", "phase": "primary"}],
    }
    sent = register(weekdays("2024-09-09", 60))
    assert "H082" in found({**tables, "attendance": sent + register(weekdays("2024-09-09", 20), pupil="B")})
    assert "H082" not in found({**tables, "attendance": sent + register(weekdays("2024-09-09", 55), pupil="B")})


def test_marks_on_a_closed_day_are_found():
    pupils = [{"pupil_id": f"P{n}", "date_of_birth": "2013-01-01"} for n in range(60)]
    rolls = [{"pupil_id": p["pupil_id"], "urn": "1", "entry_date": "2020-09-01"} for p in pupils]
    usual = [m for p in pupils for m in register(weekdays("2024-09-09", 12), pupil=p["pupil_id"])]
    tables = {**SOUND, "pupils": pupils, "enrolments": rolls, "sen": [], "addresses": []}
    assert "H087" not in found({**tables, "attendance": usual})
    assert "H087" in found({**tables, "attendance": usual + register(["2024-08-20"], pupil="P7")})


def test_a_term_without_marks_is_found():
    both = weekdays("2023-09-11", 60) + weekdays("2024-05-06", 30)
    assert "H083" in found({**SOUND, "attendance": register(both)})
    assert "H083" not in found({**SOUND, "attendance": register(weekdays("2023-09-11", 250))})


def test_jumps_against_the_year_before_are_found(monkeypatch):
    from histories.rules import whole

    monkeypatch.setattr(whole, "FEWEST", 20)
    first = register(weekdays("2023-09-11", 60), "/") + register(weekdays("2024-01-15", 10), "I")
    same = register(weekdays("2024-09-09", 60), "/") + register(weekdays("2025-01-13", 10), "I")
    worse = register(weekdays("2024-09-09", 60), "I") + register(weekdays("2025-01-13", 10), "/")
    assert "H084" in found({**SOUND, "attendance": first + worse})
    assert "H084" not in found({**SOUND, "attendance": first + same})
    assert "H086" in found({**SOUND, "attendance": first + register(weekdays("2024-09-09", 60), "?")})
    thin = register(weekdays("2024-09-09", 30), "/")
    older, newer = register(weekdays("2022-09-12", 60), "/"), register(weekdays("2025-09-08", 60), "/")
    assert "H085" in found({**SOUND, "attendance": older + first + thin + newer})
    assert "H085" not in found({**SOUND, "attendance": older + first + same + newer})


def test_late_records_are_counted_and_profiled():
    late = register(weekdays("2024-09-09", 5), recorded="2025-01-10")
    checked = check(Histories.from_rows({**SOUND, "attendance": late}))
    assert next(f.rows for f in checked.findings if f.rule.code == "H090") == 5
    assert checked.delays["attendance"]["median"] > 100


def test_a_rule_is_silenced_with_a_reason_only(tmp_path):
    from histories.checking import load_silences

    (tmp_path / "s.toml").write_text('H081 = "two records are being joined"\n')
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
    assert "<svg" in page
    assert "B801200005001" not in page


@pytest.mark.parametrize("text", ['H999 = "x"', 'H081 = ""', "H081 = 3", "H081"])
def test_a_wrong_file_of_silences_is_told(tmp_path, text):
    from histories.checking import load_silences

    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(Faults):
        load_silences(tmp_path / "s.toml")


ONE_OF_EACH = {
    **SOUND,
    "enrolments": [
        {**SOUND["enrolments"][0], "leaving_date": "2024-12-01", "destination": "state_school", "nc_year": "R"}
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
OWN_TEST = {"H081", "H082", "H083", "H084", "H085", "H086", "H087"}  # need more than one row; tested above
ODD = {
    "date": ["1990-01-01", "2040-01-01", "2013-06-01", "2024-10-05"],
    "integer": [-1],
    "boolean": [True],
    "text": ["?", None, "A801200005001"],
}


def damaged(table):
    """Yield the row of a table with one value made odd, the row twice, and the row of nobody."""
    from histories.tables import TABLES

    (row,) = ONE_OF_EACH[table]
    yield [row, row]
    yield [row, {**row, **{c: "2021-06-01" for c in ("entry_date", "start_date") if c in row}}]
    for c in TABLES[table].columns.values():
        for value in ["NOBODY"] if c.name == "pupil_id" else ODD[c.kind]:
            if value is not None or not c.required:
                yield [{**row, c.name: value}]


def test_one_row_of_each_table_breaks_no_rule():
    assert found(ONE_OF_EACH) == set()


@pytest.mark.parametrize("code", [r.code for r in RULES if r.code not in OWN_TEST])
def test_every_rule_finds_something_wrong_with_a_single_row(code):
    rule = next(r for r in RULES if r.code == code)
    assert any(
        rule.bad(Histories.from_rows({**ONE_OF_EACH, rule.table: rows})).collect().shape[0]
        for rows in damaged(rule.table)
    )
