"""The evidence behind a reason shows the marks that its sentence counts, and no others."""

from datetime import date, timedelta

import pytest

from features.catalogue import catalogue
from features.evidence import Behind, Marks, evidence
from histories.codes import ABSENCE_CODES
from histories.reading.histories import Histories
from training.explanation.behind import behind
from training.explanation.score_columns import Place

D = date(2025, 1, 13)
# What the opening words of a sentence about marks count.
COUNTED = {
    "Absent with no accepted reason": {"O", "N"},
    "Absent without permission": {"G", "N", "O", "U"},
    "On holiday without permission": {"G"},
    "Ill or at an appointment": {"I", "M"},
    "Late for": {"L", "U"},
    "On a part-time timetable": {"C2"},
    "Missed": set(ABSENCE_CODES),
    "Has missed": set(ABSENCE_CODES),
    "Was away": set(ABSENCE_CODES),
    "Last seen in school": set(ABSENCE_CODES),
    "No attendance recorded": set(),
}
MARKS = [f for f in catalogue().features if f.sources == ("attendance",) and f.role == "reason"]
STRAINS = [(f, s.text) for f in MARKS for s in f.sentences if f.theme == "attendance" and s.tone == "strain"]
DECLARED = [{"name": f.name, "sources": f.sources} for f in catalogue().features]
WORDING = {f.name: f.sentences for f in catalogue().features}


def filled(template):
    """Write something into every field of a template."""
    while "{" in template:
        template = template[: template.index("{")] + "3" + template[template.index("}") + 1 :]
    return template.replace("(s)", "s")


@pytest.mark.parametrize(("feature", "text"), STRAINS, ids=[f"{f.name}: {t[:40]}" for f, t in STRAINS])
def test_each_sentence_about_marks_names_those_that_it_counts(feature, text):
    # The strongest features of the theme stand first, whichever of them the sentence is about.
    place = Place("A", ["absent_rate_90d", "late_rate_90d"], filled(text), [])
    (told,) = behind([place], DECLARED, WORDING)
    opening = max((words for words in COUNTED if text.startswith(words)), key=len)
    assert set(told.marks.codes) == COUNTED[opening]
    assert told.marks.days <= min(feature.window or 90, 90)
    assert bool(told.marks.gap) == ("between" in text)


def week(monday, codes):
    days = [(monday + timedelta(days=n // 2), ("AM", "PM")[n % 2], code) for n, code in enumerate(codes)]
    return [{"pupil_id": "A", "date": str(d), "session": s, "code": c} for d, s, c in days]


@pytest.fixture(scope="module")
def histories():
    rows = [
        *week(date(2024, 10, 14), "MM//M/////"),  # from Monday, the 91st day before
        *week(date(2024, 11, 4), "OOOOIIII//"),
        *week(date(2024, 12, 9), "IIIIIIIIII"),
        *week(date(2024, 12, 16), "LU//OI////"),
        *week(date(2025, 1, 6), "NN//////GG"),
    ]
    pupils = [{"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801"}]
    roll = [{"pupil_id": "A", "urn": "1", "entry_date": "2018-09-04"}]
    return Histories.from_rows({"pupils": pupils, "enrolments": roll, "attendance": rows})


@pytest.mark.parametrize(
    ("marks", "told"),
    [
        (
            Marks(("O", "N"), 28),
            ["Marked so in 2 of 10 sessions in the week from this Monday (2 N)", "Marked so in 1 of 10"],
        ),
        (Marks(("O", "N"), 90), ["Marked so in 2 of 10", "Marked so in 1 of 10", "Marked so in 4 of 10"]),
        (Marks(("I", "M"), 60), ["Marked so in 1 of 10", "Marked so in 10 of 10"]),
        (Marks(("I", "M"), 60, 28), ["Marked so in 10 of 10"]),
        (Marks(("L", "U"), 90), ["Late for 2 of 10 sessions in the week from this Monday (1 L, 1 U)"]),
        (Marks(("G",), 14), ["Marked so in 2 of 10 sessions in the week from this Monday (2 G)"]),
        (Marks(("M",)), ["Marked so in 3 of 10 sessions in the week from this Monday (3 M)"]),
        (Marks(), ["Missed 4 of 10", "Missed 3 of 10", "Missed 10 of 10", "Missed 8 of 10", "Missed 3 of 10"]),
    ],
)
def test_weeks_without_such_a_mark_and_older_ones_are_not_shown(histories, marks, told):
    (records,) = evidence(histories, [Behind("A", ["attendance"], marks)], D)
    assert len(records) == len(told)
    assert all(record["text"].startswith(text) for record, text in zip(records, told, strict=True))


@pytest.mark.parametrize("feature", [f for f in catalogue().features if f.role == "reason"], ids=lambda f: f.name)
def test_what_other_children_did_is_no_record_of_this_child(feature):
    (told,) = behind([Place("A", [feature.name], "", [])], DECLARED, WORDING)
    assert told.tables == (["addresses"] if feature.name == "siblings_absence_90d" else list(feature.sources))
