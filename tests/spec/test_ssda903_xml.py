"""SSDA903 as XML is the return that the CSV files are: the same histories, byte for byte, and the same return when both come."""

from datetime import date

import pytest

from histories.errors import Faults
from histories.identity import pseudonym
from tests.support.return_text import KEY, read

UPN, OTHER = "B801200005001", "Q801200005002"
CHILDREN = (
    (
        "7",
        UPN,
        [("04/09/2023", "01/11/2023"), ("01/11/2023", "03/02/2024"), ("10/06/2024", "")],
        [("05/12/2023", "06/12/2023")],
    ),
    ("8", OTHER, [("01/01/2024", "02/01/2024")], []),
    ("9", "UN3", [("01/02/2024", "")], []),
)
CSV = {
    "header.csv": "CHILD,SEX,DOB,UPN\n" + "".join(f"{c},1,01/05/2013,{u}\n" for c, u, _, _ in CHILDREN),
    "episodes.csv": "CHILD,DECOM,RNE,DEC\n" + "".join(f"{c},{b},S,{e}\n" for c, _, eps, _ in CHILDREN for b, e in eps),
    "missing.csv": "CHILD,MIS_START,MIS_END\n" + "".join(f"{c},{b},{e}\n" for c, _, _, ms in CHILDREN for b, e in ms),
    "sw_episodes.csv": "CHILD,SW_ID,SW_DECOM,SW_DEC\n7,x,01/01/2020,\n",
}


def xml(more=""):
    children = ""
    for child, upn, episodes, missing in CHILDREN:
        absences = "".join(
            f"<AMISSING><MISSING>M</MISSING><MIS_START>{b}</MIS_START><MIS_END>{e}</MIS_END></AMISSING>"
            for b, e in missing
        )
        care = "".join(f"<EPISODE><DECOM>{b}</DECOM><RNE>S</RNE><DEC>{e}</DEC></EPISODE>" for b, e in episodes)
        children += f"<CHILD><HEADER><CHILDID>{child}</CHILDID><UPN>{upn}</UPN>{absences}</HEADER>{care}{more}</CHILD>"
    return f"<?xml version='1.0' encoding='us-ascii'?>\n<EXPSSDA903>{children}</EXPSSDA903>"


def bytes_of(histories):
    return {f.name: f.read_bytes() for f in histories.glob("*.parquet")}


def test_xml_and_csv_of_one_return_give_the_same_bytes(tmp_path):
    found, report = read(
        tmp_path / "x", "ssda903", {"903.xml": xml()}, "social_care", "pupil_id, kind, start_date, end_date"
    )
    read(tmp_path / "c", "ssda903", CSV, "social_care", "kind")
    assert bytes_of(tmp_path / "x" / "h") == bytes_of(tmp_path / "c" / "h")
    assert (pseudonym(UPN, KEY), "cla", date(2023, 9, 4), date(2024, 2, 3)) in found
    assert len(found) == 4
    assert any("1 row has a placeholder" in n for n in report.notes)


@pytest.fixture(autouse=True)
def folders(tmp_path):
    for name in ("x", "c", "b"):
        (tmp_path / name).mkdir()


@pytest.mark.parametrize("first", ["xml", "csv"])
def test_the_same_return_in_both_ways_is_counted_once(tmp_path, first):
    steps = [{"903.xml": xml()}, CSV]
    for files in steps if first == "xml" else steps[::-1]:
        for file in (tmp_path / "b").glob("return/*"):
            file.unlink()
        read(tmp_path / "b", "ssda903", files, "social_care", "kind")
    read(tmp_path / "c", "ssda903", CSV, "social_care", "kind")
    assert bytes_of(tmp_path / "b" / "h") == bytes_of(tmp_path / "c" / "h")


def test_episodes_of_social_workers_are_no_episodes_of_care(tmp_path):
    workers = "<SWEPISODE><SW_ID>x</SW_ID><SW_DECOM>01/01/2020</SW_DECOM></SWEPISODE>"
    read(tmp_path / "x", "ssda903", {"903.xml": xml(workers)}, "social_care", "kind")
    read(tmp_path / "c", "ssda903", {"903.xml": xml()}, "social_care", "kind")
    assert bytes_of(tmp_path / "x" / "h") == bytes_of(tmp_path / "c" / "h")


def test_a_file_of_social_workers_is_not_taken_for_the_episodes(tmp_path):
    files = {"header.csv": CSV["header.csv"], "SWEpisodes.csv": CSV["sw_episodes.csv"]}
    with pytest.raises(Faults, match=r"no file named like episodes\.csv"):
        read(tmp_path / "c", "ssda903", files, "social_care", "kind")


def test_a_row_without_a_child_is_reported(tmp_path):
    files = {**CSV, "episodes.csv": CSV["episodes.csv"] + ",01/02/2024,S,\n"}
    _, report = read(tmp_path / "c", "ssda903", files, "social_care", "kind")
    assert any("1 row has no CHILD" in n and "lines 7" in n for n in report.notes)
