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
PUPILS = [{"pupil_id": "A", "date_of_birth": "2014-05-01", "authority": "801"}]
ROLL = [{"pupil_id": "A", "urn": "1", "entry_date": "2018-09-04"}]
SAYS = sorted(code for code in attendance_codes() if code not in YIELDING)


def marks_of(*codes, recorded=("2025-01-08", "2025-01-08")):
    at = {"pupil_id": "A", "date": "2025-01-08", "session": "AM"}
    return [{**at, "code": code, "recorded_on": day} for code, day in zip(codes, recorded, strict=True)]


def told(engine, tmp_path, marks):
    """Return all that is counted of the marks, and the mark that casework takes for valid."""
    histories = open_on(engine, {"pupils": PUPILS, "enrolments": ROLL, "attendance": marks}, tmp_path)
    counted = [matrix(histories, [D]).to_pylist(), evidence(histories, [("A", ["attendance"])], D)]
    if engine == "plain":  # the engine of requests, which have no casework
        return counted
    return [*counted, collect(valid_marks(histories.frame("attendance")).select("code"))["code"].to_list()]


@pytest.mark.parametrize("says", ["/", "O", "I", "B", "Y1"])
@pytest.mark.parametrize("yields", YIELDING)
def test_a_mark_that_says_where_the_child_was_counts(feature_engine, tmp_path, yields, says):
    alone, *both = (tmp_path / name for name in ("alone", "one", "other"))
    expected = told(feature_engine, made(alone), marks_of(says, recorded=("2025-01-08",)))
    for folder, codes in zip(both, ((yields, says), (says, yields)), strict=True):
        assert told(feature_engine, made(folder), marks_of(*codes)) == expected


def made(folder):
    folder.mkdir()
    return folder


def test_a_later_correction_counts_whatever_it_says(feature_engine, tmp_path):
    """A school learns that a child whom it marked as absent is taught elsewhere."""
    later = marks_of("N", "D", recorded=("2025-01-08", "2025-01-10"))
    corrected = told(feature_engine, made(tmp_path / "both"), later)
    alone = marks_of("D", recorded=("2025-01-10",))
    assert corrected == told(feature_engine, made(tmp_path / "one"), alone)


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
