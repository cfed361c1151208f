"""The postcode directory gives homes their LSOA in any order of import, and no postcode reaches the histories."""

from itertools import permutations

import duckdb
import pytest

from histories.errors import Faults
from tests.support.small_returns import UPNS, import_roll, import_text, rows

ADDRESSES = """
[[table]]
fills = "addresses"
files = "*.csv"
pupil = "UPN"
postcode = ["Post code", "Postcode"]
[table.columns]
start_date = "Since"
household_id = "Key"
lsoa = "Area"
"""
HOMES = (
    f"UPN,Since,Key,Postcode,Area\n{UPNS[0]},2023-09-01,1,zz1 1zz,\n{UPNS[1]},2023-09-01,2,ZZ11ZZ,E01000009\n"
    f"{UPNS[2]},2023-09-01,3,ZZ9 9ZZ,\n"
)
DIRECTORY = "PCD7,PCD8,PCDS,DOINTR,DOTERM,LSOA21CD\nZZ1 1ZZ,ZZ1  1ZZ,ZZ1 1ZZ,198001,,E01000001\nZZ2 2ZZ,ZZ2  2ZZ,ZZ2 2ZZ,198001,,W01000001\n"
CENSUS = {
    "2024_autumn_pupilonroll.csv": f"pupilonrolltableid,upn,dob,entrydate,nativeid\n1,{UPNS[0]},2012-Jan-01 00:00:00,2023-Sep-04 00:00:00,8012001\n",
    "2024_autumn_addresses.csv": "pupilonrolltableid,uniquepropertyreferencenumber,postcode\n1,100,ZZ1 1ZZ\n",
}
STEPS = {
    "roll": lambda place: import_roll(place, [(u, "100000", "2023-09-04", "") for u in UPNS]),
    "homes": lambda place: import_text(place, "csv", {"homes.csv": HOMES}, mapping=ADDRESSES),
    "directory": lambda place: import_text(place, "postcodes", {"onspd.csv": DIRECTORY}),
    "census": lambda place: import_text(place, "school-census", CENSUS),
}


@pytest.mark.parametrize(
    "order", [*permutations(("roll", "homes", "directory")), *permutations(("census", "directory"))]
)
def test_homes_get_their_area_in_any_order(tmp_path, order):
    for step in order:
        STEPS[step](tmp_path)
    areas = rows(tmp_path, "addresses", "lsoa")
    assert areas == ([("E01000001",), ("E01000009",), (None,)] if "homes" in order else [("E01000001",)])


def test_no_postcode_reaches_the_histories(tmp_path):
    for step in STEPS.values():
        step(tmp_path)
    files = sorted((tmp_path / "h").rglob("*.parquet"))
    assert len(files) > 5
    held = "".join(str(duckdb.execute("SELECT * FROM read_parquet(?)", [str(f)]).fetchall()) for f in files)
    assert "E01000001" in held
    assert "ZZ1" not in held.upper()


@pytest.mark.parametrize(
    ("head", "accepted"),
    [("pcds,lsoa21", True), ("PCD7,LSOA11CD", True), ("postcode,LSOA21CD", False), ("PCDS,area", False)],
)
def test_the_headings_of_the_directory(tmp_path, head, accepted):
    STEPS["homes"](tmp_path)
    text = f"{head}\nZZ1 1ZZ,E01000001\n"
    if accepted:
        import_text(tmp_path, "postcodes", {"d.csv": text})
        assert ("E01000001",) in rows(tmp_path, "addresses", "lsoa")
    else:
        with pytest.raises(Faults, match="a column of the directory is missing"):
            import_text(tmp_path, "postcodes", {"d.csv": text})


def test_only_addresses_have_a_postcode(tmp_path):
    mapping = ADDRESSES.replace('"addresses"', '"sen"').replace('household_id = "Key"\nlsoa = "Area"\n', "")
    with pytest.raises(Faults, match="postcode"):
        import_text(tmp_path, "csv", {"homes.csv": HOMES}, mapping=mapping)
