"""Children on no roll: each with dates and who has the case, and a case can be opened from the row.

On more than one page, as what is due: every row is reached by links, and a form comes back to its page.
"""

import html
import re

import pytest
import sqlalchemy as sa

from histories.calendar import london_today
from serving.pages import parts
from serving.store.cases.casework_tables import School, StoredDeadline
from serving.store.database import reading, writing
from serving.store.parts import Position
from serving.store.tables import Pupil

ROW = r'<li class="onroll-list__item">.*?</li>\n'
LINKS = (
    r'<h3[^>]*>(?:<a class="govuk-link" href="(/pupils/[0-9a-f]{32})"|(P\d+)<)'  # who lives elsewhere has no page here
)
NEXT = r'href="([^"]*)" rel="next"'
BEFORE = r'href="([^"]*)" rel="prev"'


def rows(client, path="/no-roll"):
    return [html.unescape(row) for row in re.findall(ROW, client.get(path).text, re.DOTALL)]


def test_each_kind_is_listed_with_its_day_and_what_to_do(visit):
    text = html.unescape(visit("worker").get("/no-roll").text)
    assert "Left a school, and nobody knows where the child is (" in text
    assert "A place is known, but no roll has the child (" in text
    assert "On no roll for over a year, or never on one (" in text
    assert all("Off roll since " in row or "Never on a roll" in row for row in rows(visit("worker")))


def test_who_lives_elsewhere_is_told_of_from_the_row(visit):
    worker = visit("worker")
    before = [row for row in rows(worker) if "Lives in authority 998." in row]
    assert len(before) == 2
    assert all("Open a case" not in row and "/pupils/" not in row for row in before)
    form = re.search(r'action="(/clocks/\w+)".*?name="version" value="(\d+)"', before[0], re.DOTALL)
    answer = worker.submit("/no-roll", form[1], version=form[2], text="Rang their team.")
    assert (answer.status_code, answer.headers["location"]) == (303, "/clocks?done=stopped")
    assert [row for row in rows(worker) if "Lives in authority 998." in row] == before[1:]
    due = [part for part in worker.get("/clocks").text.split("<h3 ")[1:] if "Lives in authority 998." in part]
    assert (
        sorted(kind in part for part in due for kind in ("Deletion return", "tell the team there"))
        == [False] * 3 + [True] * 3
    )
    assert all("/pupils/" not in part.partition("</li>")[0] for part in due)


def test_a_case_is_opened_from_the_row_once(visit):
    worker, second = visit("worker"), visit("second")
    row = next(row for row in rows(worker) if "Open a case" in row)
    address = re.search(r'action="(/no-roll/[0-9a-f]{32})"', row).group(1)
    ref = address.removeprefix("/no-roll/")
    answer = worker.submit("/no-roll", address)
    assert (answer.status_code, answer.headers["location"]) == (303, "/no-roll?done=taken")
    again = second.submit("/no-roll", address)
    assert again.status_code == 409
    assert "Somebody else has opened a case for this child." in again.text
    (row,) = [row for row in rows(second) if ref in row]
    assert "Open a case" not in row
    assert "Who has the case:</strong> worker" in row
    assert "Case opened" in worker.get(f"/pupils/{ref}").text


def test_a_case_opened_on_the_page_of_one_kind_comes_back_to_that_page(visit):
    worker, page = visit("worker"), "/no-roll?group=left"
    row = next(row for row in rows(worker, page) if "Open a case" in row)
    action = html.unescape(re.search(r'action="(/no-roll/[^"]*)"', row).group(1))
    assert worker.submit(page, action).headers["location"] == f"{page}&done=taken"


def link(pattern, page):
    found = re.search(pattern, page)
    return found and found[1].replace("&amp;", "&")


@pytest.mark.parametrize("path", ["/clocks", "/no-roll"])
def test_every_row_is_reached_by_links_and_counted(visit, monkeypatch, path):
    client = visit("worker")
    whole, most = client.get(path).text, parts.FIRST
    monkeypatch.setattr(parts, "FIRST", 1)
    monkeypatch.setattr(parts, "MOST", 2)
    first = client.get(path).text
    counts = {name: int(n) for name, n in re.findall(r'href="#(\w+)">[^<]*\((\d+)\)</a>', first)}
    assert counts
    assert all(len(re.findall(LINKS, part)) == 1 for part in first.split("<h2 ")[1:])
    for name, n in counts.items():
        assert f'id="{name}"' in first
        more = link(rf'href="({path}\?group={name})"', first)
        assert bool(more) == (n > 1)
        pages = [client.get(f"{path}?group={name}").text]
        while after := link(NEXT, pages[-1]):
            pages.append(client.get(after).text)
        rows = [row for page in pages for row in re.findall(LINKS, page)]
        assert len(rows) >= n
        assert rows[:most] == re.findall(LINKS, whole.split(f'id="{name}"')[1].split("<h2 ")[0])
        if len(pages) > 1:
            assert re.findall(LINKS, client.get(link(BEFORE, pages[-1])).text) == re.findall(LINKS, pages[-2])


def test_a_duty_done_on_a_later_page_comes_back_to_that_page(visit, monkeypatch):
    client = visit("worker")
    monkeypatch.setattr(parts, "MOST", 1)
    later = link(NEXT, client.get("/clocks?group=soon").text)
    page = client.get(later).text
    action = link(r'action="(/clocks/[^"]*)"', page)
    wrong = client.submit(later, action, version="1", text=" ")
    assert wrong.status_code == 422
    assert re.findall(LINKS, wrong.text) == re.findall(LINKS, page)
    done = client.submit(later, action, version="1", text="rang")
    assert done.headers["location"] == f"{later}&done=stopped"


@pytest.fixture
def undone(site):
    """Let the duties that a test did run again, for other tests."""
    yield
    again = (
        sa.update(StoredDeadline)
        .where(StoredDeadline.stopped_text == "rang")
        .values(stopped_at=None, version=StoredDeadline.version - 1)
    )
    with writing(site.store.engine) as connection:
        connection.execute(again)


@pytest.mark.usefixtures("undone")
def test_the_last_duty_of_a_page_done_leads_to_the_page_before_and_not_to_nothing_is_due(visit, monkeypatch):
    client = visit("worker")
    counts = re.findall(r'href="#(\w+)">[^<]*\((\d+)\)</a>', client.get("/clocks").text)
    group, n = next((name, int(n)) for name, n in counts if name != "lost" and int(n) > 1)
    monkeypatch.setattr(parts, "MOST", n - 1)
    first = client.get(f"/clocks?group={group}").text
    later = link(NEXT, first)
    last = client.get(later).text
    assert len(re.findall(LINKS, last)) == 1
    version = link(r'name="version" value="(\d+)"', last)
    done = client.submit(later, link(r'action="(/clocks/[^"]*)"', last), version=version, text="rang")
    left = client.get(done.headers["location"]).text
    assert re.findall(LINKS, left) == re.findall(LINKS, first)
    assert "Nothing is due." not in left


@pytest.mark.parametrize(("counts", "stays"), [({"late": 1}, True), ({"late": 0, "soon": 3}, False), ({}, False)])
def test_a_group_without_rows_is_the_beginning_of_all(counts, stays):
    place = parts.Place("late", Position("0" * 32))
    assert place.within(counts) == (place if stays else parts.Place())


def test_every_child_to_follow_up_on_the_move_is_reached_by_links(visit, monkeypatch):
    client, names = visit("worker"), r'<li><a class="govuk-link" href="(/pupils/[0-9a-f]{32})"'
    whole = client.get("/transition").text
    monkeypatch.setattr(parts, "FIRST", 1)
    monkeypatch.setattr(parts, "MOST", 1)
    first = client.get("/transition").text
    counts = {state: int(n) for state, n in re.findall(r'href="#(\w+)">[^<]*\((\d+)\)</a>', first)}
    assert sum(counts.values()) == len(re.findall(names, whole)) > len(re.findall(names, first)) == len(counts)
    rows = []
    for state, n in counts.items():
        pages = [client.get(f"/transition?group={state}").text]
        assert (f'href="/transition?group={state}"' in first) == (n > 1)
        while after := link(NEXT, pages[-1]):
            pages.append(client.get(after).text)
        rows += [row for page in pages for row in re.findall(names, page)]
    assert rows == re.findall(names, whole)


@pytest.fixture
def moved(site):
    """Let one child with a duty leave every roll, and another move on; afterwards both are where they were."""
    with writing(site.store.engine) as connection:
        duty = sa.select(Pupil.pupil_ref, Pupil.urn, StoredDeadline.clock_id).distinct()
        duty = duty.join(StoredDeadline, StoredDeadline.pupil_id == Pupil.pupil_id)
        running = connection.execute(
            duty.where(StoredDeadline.stopped_at.is_(None), StoredDeadline.urn == Pupil.urn, Pupil.left_from.is_(None))
            .order_by(StoredDeadline.due_on, StoredDeadline.pupil_id)
            .limit(10)
        ).all()
        refs = list(dict.fromkeys(row.pupil_ref for row in running))[:3]
        was = connection.execute(sa.select(Pupil.__table__).where(Pupil.pupil_ref.in_(refs))).mappings().all()
        where = [Pupil.pupil_ref == ref for ref in refs]
        left = {"left_on": london_today(), "left_to": "home_education"}
        connection.execute(sa.update(Pupil).where(where[0]).values(**left))
        connection.execute(sa.update(Pupil).where(where[1]).values(urn="999999"))
    yield refs, {row["pupil_ref"]: row["urn"] for row in was}
    with writing(site.store.engine) as connection:
        for row in was:
            place = {name: row[name] for name in ("urn", "left_on", "left_to")}
            connection.execute(sa.update(Pupil).where(Pupil.pupil_ref == row["pupil_ref"]).values(**place))


def test_a_duty_names_the_school_it_concerns_where_the_child_is_at_another_or_at_none(site, visit, moved):
    """Before, the school of the duty stood below the name as if the child were there."""
    refs, was_at = moved
    with reading(site.store.engine) as connection:
        names = dict(connection.execute(sa.select(School.urn, School.name)).all())
    page = html.unescape(visit("worker").get("/clocks").text)
    rows = {ref: [part for part in page.split("<h3 ")[1:] if f'/pupils/{ref}"' in part] for ref in refs}
    concerned = {ref: f"The school concerned: {names.get(was_at[ref], was_at[ref])}." for ref in refs}
    said = {ref: [concerned[ref] in row for row in rows[ref]] for ref in refs}
    assert any(said[refs[0]])
    assert any(said[refs[1]])
    assert rows[refs[2]]
    assert not any(said[refs[2]])
    assert all("home educated since" in row for row in rows[refs[0]])
    assert all("999999" in row for row in rows[refs[1]])


@pytest.mark.parametrize("query", ["?group=x", "?group=late&after=x", "?group=late&after=" + "0" * 32, "?after=1"])
def test_an_address_that_names_no_place_is_the_beginning(visit, query):
    client = visit("worker")
    beginning = "/clocks?group=late" if "late" in query else "/clocks"
    page = client.get("/clocks" + query).text
    assert re.findall(LINKS, page) == re.findall(LINKS, client.get(beginning).text)
    assert "group=x" not in page, "nothing of the address comes back in links and forms"
    assert "after=x" not in page


@pytest.mark.parametrize("path", ["/clocks?group=late", "/no-roll?group=left", "/transition?group=offered"])
def test_a_group_that_has_no_rows_any_more_is_not_shown_as_an_empty_page(visit, path):
    client = visit("stranger")
    whole, alone = (re.sub(r'value="[0-9a-f]{64}"', "", client.get(p).text) for p in (path.partition("?")[0], path))
    assert alone == whole
