"""Two schools mark one session of a child: what says where the child was counts, on every engine and whichever file came first."""

from datetime import date

import pytest

from features.evidence import evidence
from features.matrix import matrix
from histories.codes import YIELDING, attendance_codes
from histories.reading.as_of import valid_marks
from histories.reading.frames import collect
from tests.support.engines import open_on
from tests.support.small_returns import ME, UPNS, import_text, rows

D = date(2025, 1, 13)
FIRST, LATER = "2025-01-08", "2025-01-10"
SAYS = sorted(code for code in attendance_codes() if code not in YIELDING)
PAIRS = [(yields, says) for yields in YIELDING for says in SAYS]


def told(engine, folder, marks):
    """Return all that is counted of each child's marks of one session, and the marks that casework takes for valid.

    Parameters
    ----------
    marks : list of list of tuple
        Of each child the code and the day of recording, in the order of the file.
    """
    folder.mkdir()
    names = [f"p{n}" for n in range(len(marks))]
    pupils = [{"pupil_id": p, "date_of_birth": "2014-05-01", "authority": "801"} for p in names]
    rolls = [{"pupil_id": p, "urn": "1", "entry_date": "2018-09-04"} for p in names]
    attendance = [
        {"pupil_id": p, "date": FIRST, "session": "AM", "code": code, "recorded_on": day}
        for p, of_child in zip(names, marks, strict=True)
        for code, day in of_child
    ]
    histories = open_on(engine, {"pupils": pupils, "enrolments": rolls, "attendance": attendance}, folder)
    counted = [matrix(histories, [D]).to_pylist(), evidence(histories, [(p, ["attendance"]) for p in names], D)]
    if engine == "plain":  # the engine of requests, which have no casework
        return counted
    valid = collect(valid_marks(histories.frame("attendance")).select("pupil_id", "code")).sort("pupil_id")
    return [*counted, valid.rows()]


def test_a_mark_that_says_where_the_child_was_counts(feature_engine, tmp_path):
    """Of every code: some come after # and D in the alphabet, others before."""
    expected = told(feature_engine, tmp_path / "alone", [[(says, FIRST)] for _, says in PAIRS])
    for name, step in (("one", 1), ("other", -1)):
        both = [[(code, FIRST) for code in pair[::step]] for pair in PAIRS]
        assert told(feature_engine, tmp_path / name, both) == expected


def test_a_later_correction_counts_whatever_it_says(feature_engine, tmp_path):
    """A school learns that a child whom it marked as absent is taught elsewhere."""
    corrected = told(feature_engine, tmp_path / "both", [[("N", FIRST), ("D", LATER)]])
    assert corrected == told(feature_engine, tmp_path / "one", [[("D", LATER)]])


def test_of_all_codes_only_two_give_way():
    assert not set(YIELDING) & set(SAYS)
    assert len(SAYS) + 2 == len(attendance_codes())


def marks_file(upns, code, *, is_newer):
    lines = [f"{upn},2024-09-{day:02},AM,{code if upn == UPNS[0] else '/'}" for upn in upns for day in (9, 10)]
    lines += [f"{UPNS[1]},2024-09-11,AM,/"] * is_newer
    return "\n".join(["upn,date,session,code", *lines, ""])


@pytest.mark.parametrize("says", ["O", "/"])
@pytest.mark.parametrize("newer", ["school", "unit"])
def test_the_order_of_two_schools_files_does_not_matter(tmp_path, says, newer):
    """Before, the mark of the newer extract corrected that of the other school."""
    files = {
        "school": marks_file(UPNS, "D", is_newer=newer == "school"),
        "unit": marks_file(UPNS[:1], says, is_newer=newer == "unit"),
    }
    for name, text in files.items():
        import_text(tmp_path, "marks", {f"{name}.csv": text}, sender=name)
    newest = {}
    for pupil, day, code, recorded in rows(tmp_path, "attendance", 'pupil_id, "date", code, recorded_on'):
        if pupil == ME:
            newest[day] = max(newest.get(day, (date.min, False, "")), (recorded or day, code not in YIELDING, code))
    assert {code for *_, code in newest.values()} == {says}
