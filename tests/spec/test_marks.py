"""Marks as systems export them: every layout gives the same marks, and codes mean the same in each."""

from datetime import date

import pytest

from histories.errors import Faults
from tests.support.small_returns import ALSO, ME, UPNS, import_text, rows

MONDAY = date(2024, 9, 9)


def read(tmp_path, text, mapping=None):
    report = import_text(tmp_path, "marks", {"marks.csv": text}, mapping=mapping)
    return rows(tmp_path, "attendance", 'pupil_id, "date", session, code'), report


def layouts(am, pm):
    u = UPNS[0]
    return {
        "long": (f"upn,date,session,code\n{u},2024-09-09,AM,{am}\n{u},2024-09-09,PM,{pm}\n", None),
        "days": (f"upn,date,am,pm,note\n{u},2024-09-09,{am},{pm},x\n", None),
        "days by a mapping": (
            f"UPN,Day,Morning,Afternoon\n{u},09/09/2024,{am},{pm}\n",
            'layout = "days"\ndate = "Day"\nam = "Morning"\npm = "Afternoon"\n',
        ),
        "columns": (f"UPN,09/09/2024 AM,09/09/2024 PM\n{u},{am},{pm}\n", 'layout = "columns"\n'),
        "weeks": (f"upn,week,marks\n{u},2024-09-09,{am}{pm}--------\n", 'layout = "weeks"\n'),
    }


KINDS = ("long", "days", "days by a mapping", "columns", "weeks")


@pytest.mark.parametrize("layout", KINDS)
@pytest.mark.parametrize(
    ("am", "pm", "codes"),
    [
        ("/", "\\", [("AM", "/"), ("PM", "\\")]),
        ("o", "O", [("AM", "O"), ("PM", "O")]),
        ("-", "I", [("PM", "I")]),
        ("?", "I", [("PM", "I")]),
    ],
)
def test_every_layout_gives_the_same_marks(tmp_path, layout, am, pm, codes):
    marks, report = read(tmp_path, *layouts(am, pm)[layout])
    assert marks == [(ME, MONDAY, session, code) for session, code in codes]
    assert any("in lower case and counts as O (lines 2)" in n for n in report.notes) == (am == "o")
    assert any(
        "1 mark has the code ?, which does not exist, and was left out (lines 2)" in n for n in report.notes
    ) == (am == "?")


@pytest.mark.parametrize("layout", ["long", "days", "days by a mapping", "columns"])
@pytest.mark.parametrize(("am", "codes"), [(" O ", ["O"]), (" c1", ["C1"]), ("  ", []), (" - ", [])])
def test_blanks_around_a_code_are_ignored(tmp_path, layout, am, codes):
    marks, _ = read(tmp_path, *layouts(am, "I")[layout])
    assert [code for *_, session, code in marks if session == "AM"] == codes


def test_texts_too_long_for_a_code_are_counted_together_and_never_repeated(tmp_path):
    marks = "".join(f"{UPNS[0]},2024-09-{day:02},AM,secret {day}\n" for day in range(9, 14))
    imported, report = read(tmp_path, f"upn,date,session,code\n{UPNS[1]},2024-09-09,AM,O\n{marks}")
    assert imported == [(ALSO, MONDAY, "AM", "O")]
    notes = [n for n in report.notes if "more than two characters" in n]
    assert notes == [
        "marks.csv: 5 marks have a code of more than two characters, which does not exist, and were left out (lines 3, 4, 5, 6, 7)"
    ]
    assert "secret" not in report.text()


def test_a_file_without_sessions_is_refused(tmp_path):
    with pytest.raises(Faults, match="column session"):
        read(tmp_path, f"upn,date,am,code\n{UPNS[0]},2024-09-09,O,O\n")
