"""Linking: certain links are kept, doubtful ones become questions, twins are never merged, and histories hold no names."""

import csv

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from histories.errors import Faults
from histories.identity import pseudonym
from histories.linking.link import link
from histories.linking.store import LinkageStore
from histories.returns import FORMATS, import_return
from tests.support.made_up_people import persons, pupils, write

KEY = b"a key for tests only"


def linked(folder):
    return {k.person_id: k for k in LinkageStore(folder / "h").links()}


def scored(folder, n, m):
    rows, table = persons(pupils(n), m)
    write(folder, rows, table)
    counts = link(folder / "h", folder / "persons.csv")
    return {r["person_id"]: r["true"] for r in rows}, counts


def test_most_records_are_linked_and_none_wrongly(tmp_path):
    true, counts = scored(tmp_path, 3000, 600)
    links = linked(tmp_path)
    assert all(true[p] == k.pupil_id for p, k in links.items())
    assert len(links) > 0.85 * sum(bool(v) for v in true.values())
    assert counts["automatic"] == len(links)
    assert (
        sum(counts[c] for c in ("upn", "automatic", "answered", "to_answer", "not_linked")) == counts["persons"] == 600
    )
    again = link(tmp_path / "h", tmp_path / "persons.csv")
    assert again == counts, "the same lists give the same links"


@pytest.mark.prove
def test_twenty_thousand_records_to_a_hundred_thousand_pupils(tmp_path):
    true, _ = scored(tmp_path, 100_000, 20_000)
    links = linked(tmp_path)
    right = sum(true[p] == k.pupil_id for p, k in links.items())
    assert right / len(links) >= 0.999
    assert right / sum(bool(v) for v in true.values()) > 0.9


def table(rows):
    """Return people as columns, with many others so that chance agreement can be estimated."""
    others = pupils(1500, seed=9, twins=0.0)
    return {
        c: [r[n] for r in rows] + others[c]
        for n, c in enumerate(("pupil_id", "forename", "surname", "dob", "sex", "postcode"))
    }


TWINS = [
    ("t1", "Amara", "Okafor", "2012-03-04", "F", "QX1 1AA"),
    ("t2", "Adaeze", "Okafor", "2012-03-04", "F", "QX1 1AA"),
]


def person(forename="A", surname="Okafor", postcode="QX1 1AA", person_id="s1"):
    return {
        "person_id": person_id,
        "true": "",
        "forename": forename,
        "surname": surname,
        "dob": "2012-03-04",
        "sex": "F",
        "postcode": postcode,
    }


@pytest.mark.parametrize(
    ("forename", "there", "wanted"),
    [
        ("Amara", TWINS, "t1"),
        ("Adaeze", TWINS, "t2"),
        ("Amara", TWINS[1:], None),
        ("A", TWINS, None),
        ("Zoe", TWINS, None),
        ("Amarah", TWINS, "t1"),
    ],
)
def test_twins_are_not_merged(tmp_path, forename, there, wanted):
    """A twin is linked only by their own name, and never to the other twin, even if they are not on the list themselves."""
    write(tmp_path, [person(forename)], table(there))
    link(tmp_path / "h", tmp_path / "persons.csv")
    match = linked(tmp_path).get("s1")
    assert (match and match.pupil_id) == wanted


def test_a_reviewers_answer_is_stored(tmp_path):
    write(tmp_path, [person()], table(TWINS[:1]))
    assert link(tmp_path / "h", tmp_path / "persons.csv")["to_answer"] == 1
    review = LinkageStore(tmp_path / "h").review
    with review.open(newline="") as lines:
        (question,) = csv.DictReader(lines)
    assert "OKAFOR" in question["person"]
    review.write_text(review.read_text().rstrip() + "yes\n")
    for _ in range(3):
        assert link(tmp_path / "h", tmp_path / "persons.csv")["answered"] == 1
        assert linked(tmp_path)["s1"].how == "answered"


def test_a_pair_answered_no_is_not_reviewed_again(tmp_path):
    write(tmp_path, [person()], table(TWINS[:1]))
    link(tmp_path / "h", tmp_path / "persons.csv")
    review = LinkageStore(tmp_path / "h").review
    review.write_text(review.read_text().rstrip() + "no\n")
    for _ in range(3):
        counts = link(tmp_path / "h", tmp_path / "persons.csv")
        assert (counts["to_answer"], counts["not_linked"]) == (0, 1)
        assert not linked(tmp_path)


def test_links_of_another_list_are_kept(tmp_path):
    write(tmp_path, [person("Amara", person_id="one"), person(person_id="ask")], table(TWINS))
    link(tmp_path / "h", tmp_path / "persons.csv")
    before = linked(tmp_path)
    assert set(before) == {"one"}
    (tmp_path / "more.csv").write_text(
        "person_id,forename,surname,dob,postcode\ntwo,Adaeze,Okafor,2012-03-04,QX1 1AA\n"
    )
    link(tmp_path / "h", tmp_path / "more.csv")
    assert set(linked(tmp_path)) == {"one", "two"}
    assert linked(tmp_path)["one"] == before["one"]
    assert [r["person_id"] for r in LinkageStore(tmp_path / "h").review_rows()] == ["ask"]


def test_an_invalid_answer_is_refused(tmp_path):
    write(tmp_path, [person(surname="B", postcode="")], table(TWINS))
    LinkageStore(tmp_path / "h").review.write_text(
        "person_id,pupil_id,probability,person,pupil,same\ns1,t1,0.95,x,y,perhaps\n"
    )
    with pytest.raises(Faults, match="not yes, no or empty"):
        link(tmp_path / "h", tmp_path / "persons.csv")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,b\n1,2\n",
        b"person_id,forename,surname,dob\n1,A,B,notaday\n",
        b"person_id,forename,surname,dob\n,A,B,2012-01-01\n",
        b"person_id,forename,surname,dob\n1,A,B,2012-01-01\n1,C,D,2013-01-01\n",
        b"\xff\xfe\x00a",
    ],
)
def test_an_invalid_list_is_refused(tmp_path, content):
    write(tmp_path, [person(surname="B", postcode="")], table(TWINS))
    (tmp_path / "bad.csv").write_bytes(content)
    with pytest.raises(Faults, match=r"bad\.csv"):
        link(tmp_path / "h", tmp_path / "bad.csv")


def test_without_names_there_is_nothing_to_link_to(tmp_path):
    (tmp_path / "p.csv").write_text("person_id,forename,surname,dob\n1,A,B,2012-01-01\n")
    with pytest.raises(Faults, match="no names of pupils"):
        link(tmp_path / "h", tmp_path / "p.csv")


def test_a_return_without_upns_is_imported_by_its_links(tmp_path):
    """A census with names, then a CIN census with a child without a UPN: the list of persons leads to the pupil."""
    head = "pupilonrolltableid,NativeId,dob,upn,surname,forename,sex,entrydate\n"
    rows = [
        f"{n},100001,2012-{m + 1:02}-{d + 1:02} 00:00:00,B80120000{n:04},Sur{chr(97 + d)}{chr(97 + m)}x,Fore{chr(97 + m)}{chr(97 + d)},F,2020-09-02 00:00:00\n"
        for n, (m, d) in enumerate((m, d) for m in range(12) for d in range(25))
    ]
    text = head + "".join(rows).replace(" 00:00:00", "")
    (tmp_path / "2024_autumn_pupilonroll.csv").write_text(text)
    import_return(FORMATS["school-census"], [tmp_path / "2024_autumn_pupilonroll.csv"], tmp_path / "h", KEY)
    child = "<Child><ChildIdentifiers><LAchildID>c7</LAchildID></ChildIdentifiers><CINdetails><CINreferralDate>2024-10-06</CINreferralDate></CINdetails></Child>"
    (tmp_path / "cin.xml").write_text(
        f"<Message><Header><Collection>CIN</Collection></Header><Children>{child}</Children></Message>"
    )
    with pytest.raises(Faults, match="no row"):
        import_return(FORMATS["cin-census"], [tmp_path / "cin.xml"], tmp_path / "h", KEY)
    (tmp_path / "people.csv").write_text("person_id,forename,surname,dob,sex\nc7,Forebc,Surcbx,2012-02-03,F\n")
    report = import_return(
        FORMATS["cin-census"], [tmp_path / "cin.xml"], tmp_path / "h", KEY, persons=tmp_path / "people.csv"
    )
    assert any("1 automatic" in n for n in report.notes)
    pupils = {r["pupil_id"] for r in pq.read_table(tmp_path / "h" / "social_care.parquet").to_pylist()}
    assert pupils == {pseudonym("B801200000027", KEY)}
    for file in (tmp_path / "h").rglob("*.parquet"):
        assert "Sur" not in str(pq.ParquetFile(file).read().to_pylist())
    assert isinstance(pq.read_table(tmp_path / "h.linkage" / "people.parquet"), pa.Table)


def test_a_record_that_begins_a_formula_is_asked_and_answered_as_what_it_is(tmp_path):
    """Before, the list that a person answers in a spreadsheet held the cell as it was sent."""
    sent = "=HYPERLINK(\"http://x\",'look')"
    write(tmp_path, [person(person_id=sent)], table(TWINS[:1]))
    assert link(tmp_path / "h", tmp_path / "persons.csv")["to_answer"] == 1
    store = LinkageStore(tmp_path / "h")
    with store.review.open(newline="") as lines:
        (question,) = csv.DictReader(lines)
    assert question["person_id"] == f"'{sent}"
    store.review.write_text(store.review.read_text().rstrip() + "yes\n")
    assert link(tmp_path / "h", tmp_path / "persons.csv")["answered"] == 1
    assert linked(tmp_path)[sent].how == "answered"
    store.add_to_link([{"person_id": "p", "forename": "@SUM(1)", "surname": "-x", "dob": "2012-03-04", "sex": ""}])
    store.add_to_link([])
    assert "p,'@SUM(1),'-x,2012-03-04,,\r\n" in store.to_link.read_bytes().decode()
