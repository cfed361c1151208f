"""The old version stays until the new one is complete; a digest changes with every byte."""

import pytest

from histories.io.atomic_write import new_file, new_folder, not_new
from histories.reading.histories import Histories


def fail_half_way(writing, name):
    with writing as beside:
        (beside if name is None else beside / name).write_text("half")
        raise RuntimeError


def test_a_failed_run_leaves_only_the_old_version(tmp_path):
    (tmp_path / "s.parquet").write_text("old")
    with pytest.raises(RuntimeError):
        fail_half_way(new_file(tmp_path / "s.parquet"), None)
    with pytest.raises(RuntimeError):
        fail_half_way(new_folder(tmp_path / "h"), "pupils.csv")
    assert [f.name for f in tmp_path.iterdir()] == ["s.parquet"]
    assert (tmp_path / "s.parquet").read_text() == "old"


def test_only_an_absent_or_empty_folder_is_new(tmp_path):
    assert not_new(tmp_path / "h") == []
    with new_folder(tmp_path / "h") as beside:
        (beside / "x").write_text("1")
    assert not_new(tmp_path / "h")
    assert not_new(tmp_path / "h" / "x")


def test_the_digest_of_histories_changes_with_a_value_of_the_same_length(tmp_path):
    (tmp_path / "enrolments.csv").write_text("pupil_id,urn,entry_date\nA,1,2020-09-01\n")
    digests = set()
    for day in ("2014-01-01", "2014-01-02"):
        (tmp_path / "pupils.csv").write_text(f"pupil_id,date_of_birth\nA,{day}\n")
        digests.add(Histories.open(tmp_path).digest())
    assert len(digests) == 2


def test_a_folder_whose_replacement_was_killed_is_restored(tmp_path):
    (tmp_path / ".h.old").mkdir()
    (tmp_path / ".h.old" / "kept").write_text("x")
    with pytest.raises(RuntimeError):
        fail_half_way(new_folder(tmp_path / "h", keep=True), "half")
    assert [f.name for f in (tmp_path / "h").iterdir()] == ["kept"]
    assert [f.name for f in tmp_path.iterdir()] == ["h"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "before").write_text("x")
    with new_folder(tmp_path / "h", keep=True) as beside:
        (beside / "after").write_text("y")
        assert (tmp_path / "h" / "before").exists()
    assert [f.name for f in (tmp_path / "h").iterdir()] == ["after"]


def test_a_link_in_the_place_of_the_unfinished_file_is_not_followed(tmp_path):
    """Before, whoever could write the folder had a list of children written to a place, or over a file, of their choice."""
    (tmp_path / "elsewhere").write_text("kept")
    (tmp_path / ".list.csv.writing").symlink_to(tmp_path / "elsewhere")
    with new_file(tmp_path / "list.csv") as beside:
        assert beside.stat().st_mode & 0o777 == 0o600
        beside.write_text("children")
    assert (tmp_path / "elsewhere").read_text() == "kept"
    assert not (tmp_path / "list.csv").is_symlink()
    assert (tmp_path / "list.csv").read_text() == "children"
