"""SEN2: plans of the named-plan module become spells of provision, with the need of the active plan of the same request."""

from datetime import date

import pytest

from histories.errors import Faults
from histories.identity import pseudonym
from tests.support.return_text import KEY, read

UPN, OTHER = "B801200005001", "Q801200005002"
ME, ALSO = pseudonym(UPN, KEY), pseudonym(OTHER, KEY)
MODULES = {
    "sen2": "sen2tableid,collection,year,referencedate,datetime,lea\ns1,SEN2,2024,2024-Jan-18 00:00:00,2024-Feb-28 09:30:00,801\n",
    "person": "persontableid,sen2tableid,surname,forename,personbirthdate,gendercurrent,ethnicity,postcode,upn\n"
    f"c1,s1,Sur,For,2013-May-01 00:00:00,F,WENG,AB1 2CD,{UPN}\nc2,s1,Sur,Other,2014-May-01 00:00:00,M,,,{OTHER}\n"
    "c3,s1,Canary,Nobody,2006-May-01 00:00:00,M,,,UN2\n",
    "requests": "requeststableid,persontableid\nr1,c1\nr2,c2\nr3,c3\n",
    "assessment": "assessmenttableid,requeststableid\na1,r1\na2,r2\na3,r3\n",
    "namedplan": "namedplantableid,assessmenttableid,startdate,ceasedate,ceasereason\n"
    "p1,a1,2022-Sep-28 00:00:00,,\np2,a2,2021-Mar-01 00:00:00,2023-Jul-31 00:00:00,2\np3,a3,2020-Jan-06 00:00:00,,\n",
    "activeplans": "activeplanstableid,requeststableid,transferla\nv1,r1,\nv9,r9,\n",
    "senneed": "senneedtableid,activeplanstableid,sentype,sentyperank\nn1,v1,MLD,2\nn2,v1,SEMH,1\n",
    "placementdetail": "placementdetailtableid,activeplanstableid,urn\nd1,v1,100001\n",
}


def files(modules=MODULES):
    return {f"Blade-Export_01-03-2024_{name}.csv": text for name, text in modules.items()}


def test_plans_become_spells_with_the_first_need(tmp_path):
    found, report = read(tmp_path, "sen2", files(), "sen", "*")
    assert found == sorted(
        [
            (ME, date(2022, 9, 28), None, "E", "SEMH", date(2024, 2, 28)),
            (ALSO, date(2021, 3, 1), date(2023, 7, 31), "E", None, date(2024, 2, 28)),
        ]
    )
    assert any("1 row has an active plan without a named plan" in n for n in report.notes)
    assert any("placementdetail is not read" in u for u in report.unused)
    assert any("1 row has a placeholder" in n for n in report.notes)


def test_children_come_with_their_births_and_no_names(tmp_path):
    found, _ = read(tmp_path, "sen2", files(), "pupils", "pupil_id, upn, date_of_birth, sex, ethnicity")
    assert found == sorted(
        [(ME, UPN, date(2013, 5, 1), "F", "WENG"), (ALSO, OTHER, date(2014, 5, 1), "M", None)], key=lambda r: r[0]
    )
    assert not any(b"Canary" in f.read_bytes() for f in (tmp_path / "h").rglob("*.parquet"))
    assert "Canary" in (tmp_path / "h.linkage" / "to_link.csv").read_text(), (
        "who has no UPN is listed for 'onroll link'"
    )


@pytest.mark.parametrize("module", ["person", "requests", "assessment", "namedplan"])
def test_a_return_without_a_required_module_is_refused(tmp_path, module):
    with pytest.raises(Faults, match=f"the module {module} is missing"):
        read(tmp_path, "sen2", files({k: v for k, v in MODULES.items() if k != module}), "sen", "*")
    assert not (tmp_path / "h").exists()


def test_without_the_first_module_it_counts_from_its_newest_day(tmp_path):
    modules = {k: v for k, v in MODULES.items() if k != "sen2"}
    found, report = read(tmp_path, "sen2", files(modules), "sen", "DISTINCT recorded_on")
    assert found == [(date(2023, 7, 31),)]
    assert any("module sen2 is missing" in n for n in report.notes)


def test_two_years_in_one_folder_are_two_returns(tmp_path):
    later = {
        k: v.replace("2024", "2025").replace(
            "p1,a1,2022-Sep-28 00:00:00,,", "p1,a1,2022-Sep-28 00:00:00,2024-Dec-20 00:00:00,1"
        )
        for k, v in MODULES.items()
    }
    both = {**files(), **{f"Blade-Export_01-03-2025_{name}.csv": text for name, text in later.items()}}
    found, _ = read(
        tmp_path,
        "sen2",
        both,
        "sen",
        "start_date, end_date, recorded_on",
    )
    assert (date(2022, 9, 28), None, date(2024, 2, 28)) in found or (
        date(2022, 9, 28),
        date(2024, 12, 20),
        date(2024, 2, 28),
    ) in found
    assert {r[1] for r in found if r[0] == date(2022, 9, 28)} >= {date(2024, 12, 20)}
