"""Returns of two senders stand beside each other in every format: neither changes what the other states of its children."""

import itertools
import json
import shutil

import duckdb
import pytest

from histories.errors import Faults
from histories.identity import pseudonym, upn_with_check_letter
from histories.returns import FORMATS, import_folder, import_return
from tests.support.return_layouts import KEY, LAYOUTS, OTHER, UPN, Layout, write
from tests.support.small_returns import import_roll
from tests.support.thinned import every_second

# The same files as another authority writes them: other children at other schools. Its own numbers of children are the same.
FOREIGN = {
    UPN: upn_with_check_letter("802200005001"),
    OTHER: upn_with_check_letter("802200005002"),
    "100001": "200001",
    "100002": "200002",
    "100009": "200009",
    "<LEA>801": "<LEA>802",
    ",801\\n": ",802\\n",
}
LATER = "801200009001"  # a child of whom a much later return says something


def without_authority(layout):
    """Return a layout whose files do not name the authority."""
    return Layout(form=layout.form, files=json.loads(json.dumps(layout.files).replace(",801\\n", ",\\n")))


def foreign(layout):
    """Return a layout as the other authority writes it."""
    text = json.dumps(layout.files)
    for ours, theirs in FOREIGN.items():
        text = text.replace(ours, theirs)
    return Layout(form=layout.form, files=json.loads(text))


OF_CHILDREN = {
    **{name: layout for name, layout in LAYOUTS.items() if "upn" in layout.places and layout.form != "upn-changes"},
    "sen2 without an authority": without_authority(LAYOUTS["sen2"]),
}


def told_of(place, upns):
    """Return every row of every table about some children."""
    rows = {}
    for file in sorted((place / "h").glob("*.parquet")):
        if "pupil_id" in duckdb.sql(f"FROM '{file}'").columns:
            keys = ", ".join(f"'{pseudonym(u, KEY)}'" for u in upns)
            rows[file.stem] = duckdb.sql(f"FROM '{file}' WHERE pupil_id IN ({keys}) ORDER BY ALL").fetchall()
    return {table: found for table, found in rows.items() if found}


@pytest.fixture(scope="module")
def rolled(tmp_path_factory):
    """A place with a roll of children of both senders, and of another who joins long after the returns; read-only."""
    place = tmp_path_factory.mktemp("rolled")
    spells = [(UPN, "100001", "2020-09-02", ""), (FOREIGN[UPN], "200001", "2020-09-02", "")]
    import_roll(place, [*spells, (upn_with_check_letter(LATER), "100001", "2026-09-02", "")])
    return place


@pytest.mark.parametrize("name", every_second(OF_CHILDREN))
def test_what_one_sender_states_does_not_depend_on_another(rolled, tmp_path, name):
    layout = OF_CHILDREN[name]
    form = FORMATS[layout.form]
    ours = write(layout, tmp_path / "returns" / "ours", {})
    theirs = write(foreign(layout), tmp_path / "returns" / "theirs", {"upn": FOREIGN[UPN], "number": "200001"})
    expected = []
    for files, upns in ((ours, (UPN, OTHER)), (theirs, (FOREIGN[UPN], FOREIGN[OTHER]))):
        alone = shutil.copytree(rolled, tmp_path / f"alone {upns[0]}")
        import_return(form, files, alone / "h", KEY)
        expected.append(told_of(alone, upns))
        assert len(expected[-1]) > 1 or layout.form in ("deletions", "home-education"), "the return states something"
    one_by_one, together = (shutil.copytree(rolled, tmp_path / n) for n in ("one by one", "together"))
    import_return(form, theirs, one_by_one / "h", KEY)
    import_return(form, ours, one_by_one / "h", KEY)
    import_folder(FORMATS, tmp_path / "returns", together / "h", KEY)
    for place in (one_by_one, together):
        assert told_of(place, (UPN, OTHER)) == expected[0], place.name
        assert told_of(place, (FOREIGN[UPN], FOREIGN[OTHER])) == expected[1], place.name


def care_903(children, number):
    """Return the files of an SSDA903; a child is a UPN."""
    rows = list(enumerate(children, start=1))
    return {
        "header.csv": "CHILD,UPN\n" + "".join(f"{n},{u}\n" for n, u in rows),
        "episodes.csv": "CHILD,DECOM,DEC\n" + "".join(f"{n},04/09/2023,\n" for n, _ in rows),
    }


def care_903_xml(children, number):
    return {
        "903.xml": "<EXPSSDA903>"
        + "".join(
            f"<CHILD><HEADER><CHILDID>{n}</CHILDID><UPN>{u}</UPN></HEADER><EPISODE><DECOM>04/09/2023</DECOM></EPISODE></CHILD>"
            for n, u in enumerate(children)
        )
        + "</EXPSSDA903>"
    }


def care_cin(children, number, authority=""):
    lea = f"<LEA>{authority}</LEA>" if authority else ""
    return {
        "cin.xml": f"<Message><Header><Collection>CIN</Collection><Year>2024</Year>{lea}</Header><Children>"
        + "".join(
            f"<Child><ChildIdentifiers><UPN>{u}</UPN></ChildIdentifiers><CINdetails><CINreferralDate>2023-09-04</CINreferralDate></CINdetails></Child>"
            for u in children
        )
        + "</Children></Message>"
    }


def plans_sen2(children, number, authority=""):
    rows = list(enumerate(children, start=1))
    return {
        "sen2.csv": f"sen2tableid,year,referencedate,lea\ns1,2024,2024-01-18,{authority}\n",
        "person.csv": "persontableid,sen2tableid,personbirthdate,upn\n"
        + "".join(f"c{n},s1,2013-05-01,{u}\n" for n, u in rows),
        "requests.csv": "requeststableid,persontableid\n" + "".join(f"r{n},c{n}\n" for n, _ in rows),
        "assessment.csv": "assessmenttableid,requeststableid\n" + "".join(f"a{n},r{n}\n" for n, _ in rows),
        "namedplan.csv": "namedplantableid,assessmenttableid,startdate,ceasedate\n"
        + "".join(f"p{n},a{n},2023-09-04,\n" for n, _ in rows),
    }


def named(write_files, authority):
    return lambda children, number: write_files(children, number, authority if number == 1 else "999")


# Every return that is one authority's whole statement of a period: how it is written, and the table and form of what it states.
WHOLE = {
    "ssda903 CSV": (care_903, "ssda903", "social_care"),
    "ssda903 XML": (care_903_xml, "ssda903", "social_care"),
    "cin-census without LEA": (care_cin, "cin-census", "social_care"),
    "cin-census": (named(care_cin, "801"), "cin-census", "social_care"),
    "sen2 without LEA": (plans_sen2, "sen2", "sen"),
    "sen2": (named(plans_sen2, "801"), "sen2", "sen"),
}
CHILDREN = [upn_with_check_letter(f"80120000{n}") for n in range(5100, 5140)]


class Place:
    """A folder of histories, into which returns of one form are imported."""

    def __init__(self, folder, kind):
        self.folder, (self.write, self.form, self.table) = folder, WHOLE[kind]
        self.steps = itertools.count()

    def send(self, children, number=1, **options):
        """Import the return of an authority, the first or the second one."""
        folder = self.folder / f"return {next(self.steps)}"
        folder.mkdir()
        for name, text in self.write(children, number).items():
            (folder / name).write_text(text)
        return import_return(FORMATS[self.form], [folder], self.folder / "h", KEY, **options)

    def children(self):
        """Return the children of whom the histories hold a spell."""
        file = self.folder / "h" / f"{self.table}.parquet"
        held = {key for (key,) in duckdb.sql(f"SELECT DISTINCT pupil_id FROM '{file}'").fetchall()}
        return {u for u in CHILDREN if pseudonym(u, KEY) in held}


@pytest.fixture
def place(tmp_path, request):
    return Place(tmp_path, request.param)


every_kind = pytest.mark.parametrize("place", WHOLE, indirect=True)


@every_kind
def test_a_correction_withdraws_its_own_senders_rows_only(place):
    ours, theirs = CHILDREN[:10], CHILDREN[10:20]
    place.send(ours)
    place.send(theirs, 2)
    report = place.send(ours[:8])
    assert any("corrects an earlier submission" in n for n in report.notes)
    assert place.children() == {*ours[:8], *theirs}
    place.send(theirs[3:], 2)
    assert place.children() == {*ours[:8], *theirs[3:]}


@every_kind
def test_two_authorities_may_have_a_child_in_common(place):
    ours, theirs = CHILDREN[:20], CHILDREN[19:39]
    place.send(ours)
    place.send(theirs, 2)
    assert place.children() == {*ours, *theirs}


@pytest.mark.parametrize("place", [k for k in WHOLE if k not in ("cin-census", "sen2")], indirect=True)
def test_an_uncertain_correction_is_refused_until_the_sender_is_named(place):
    first, second = CHILDREN[:10], [*CHILDREN[:3], *CHILDREN[10:17]]
    place.send(first)
    with pytest.raises(Faults, match=r"may correct the other or be of another authority\n.*--sender"):
        place.send(second)
    assert place.children() == {*first}
    with pytest.raises(Faults, match="may correct the other"):
        place.send(second, sender="Camden")
    place.send(first, sender="Camden")  # the first one again, now by name
    place.send(second, sender="Islington")
    assert place.children() == {*first, *second}
    place.send(second[:9], sender="camden")
    assert place.children() == {*second}


@pytest.mark.parametrize("place", ["cin-census", "sen2"], indirect=True)
def test_the_sender_that_the_file_names_cannot_be_overruled(place):
    with pytest.raises(Faults, match="names another authority"):
        place.send(CHILDREN[:2], sender="Camden")


@pytest.mark.parametrize("place", ["ssda903 CSV", "ssda903 XML"], indirect=True)
def test_named_senders_need_no_children_to_be_told_apart(place):
    place.send(CHILDREN[:4], sender="Camden")
    place.send(CHILDREN[:4][::-1], sender="Islington")
    report = place.send(CHILDREN[:1], sender="Camden")
    assert any("corrects" in n for n in report.notes)
    assert place.children() == {*CHILDREN[:4]}, "the other authority still states them"


def test_a_child_with_two_upns_in_a_header_is_refused(tmp_path):
    files = {
        "header.csv": f"CHILD,UPN\n1,{CHILDREN[0]}\n1,{CHILDREN[1]}\n",
        "episodes.csv": "CHILD,DECOM,DEC\n1,04/09/2023,\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(
        Faults, match=r"header\.csv, column CHILD, lines 2, 3: 2 of its rows: the child has several UPNs"
    ):
        import_return(FORMATS["ssda903"], [tmp_path], tmp_path / "h", KEY)
