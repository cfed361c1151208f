"""Two extracts of the same days that differ: the import says that nothing tells which is newer, and the user can tell it afterwards."""

from datetime import date

import polars as pl
import pytest

from histories.returns import FORMATS, import_return

KEY = b"a key for tests only"
HEAD = "UPN,Date,Session,Code\n"
UPN = "A801200001001"
SAME = f"{UPN},2025-01-07,AM,/\n"


@pytest.fixture
def marks(tmp_path):
    """Return a function that imports marks of 6 January (and one of the 7th, which no file changes), and returns notes and codes."""

    def build(*codes, day=None):
        lines = "".join(f"{UPN},2025-01-06,{s},{c}\n" for s, c in zip(("AM", "PM"), codes, strict=True))
        file = tmp_path / f"{'-'.join(codes).replace('/', 'slash')}.csv"
        file.write_text(HEAD + lines + SAME)
        report = import_return(FORMATS["marks"], [file], tmp_path / "h", KEY, submitted_on=day)
        seen = pl.read_parquet(tmp_path / "h" / "attendance.parquet").filter(pl.col("date") == date(2025, 1, 6))
        newest = seen.sort("session", "recorded_on", nulls_last=False).group_by("session", maintain_order=True).last()
        return report.notes, newest["code"].to_list()

    return build


def test_what_nothing_decides_is_said_and_can_be_told_later(marks):
    first, _ = marks("O", "O")
    second, _ = marks("I", "I")
    assert not any("same newest day" in note for note in first)
    (said,) = [note for note in second if "same newest day" in note]
    assert "differ in 2 rows of attendance" in said
    assert "--submitted DATE" in said
    told, codes = marks("I", "I", day=date(2025, 1, 9))
    assert any("counts as submitted on 2025-01-09 from now on" in note for note in told)
    assert codes == ["I", "I"]
    told, codes = marks("O", "O", day=date(2025, 1, 10))
    assert codes == ["O", "O"], "the one that is said to be newer counts, whichever came first"


def test_the_same_extract_again_and_others_that_agree_are_no_contradiction(marks):
    marks("O", "O")
    again, _ = marks("O", "O")
    assert [note for note in again if "imported before" in note]
    assert not any("same newest day" in note for note in again)
