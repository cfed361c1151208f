"""What the weekly list and the duties read does not grow with the children of the authority: SQLite counts its steps, whatever the machine does beside."""

from collections import Counter
from datetime import date

import pytest
import sqlalchemy as sa

from histories.settings import settings
from serving.casework import Gathered
from serving.casework.duty import Deadline
from serving.casework.family import Involvement
from serving.casework.silence import SilentChild
from serving.http.api import make_app
from serving.store import Caller, Store
from serving.store.cases import cases, casework
from serving.store.people import details
from serving.store.people.cipher import Cipher
from serving.store.scores.own_schools import own_schools
from serving.store.tables import Pupil
from tests.support.named_children import write_key
from tests.support.scores import score
from tests.support.visitor import Visitor

DAYS = ("2025-01-06", "2025-01-13")
ACCESS = """
[development]
lead = {role = "lead", authority = "801"}
named = {role = "lead", authority = "801", names = true}
north = {role = "worker", authority = "801", urns = ["100", "101", "102"]}
"""
FEW, MANY, STEP = 600, 2400, 20
# The list is counted through its index: some four steps a child for each count, eight where the caller sees some schools. A query that
# reads every child costs that and more again.
PER_CHILD = 20
PER_CHILD_OF_DUTIES = 1  # none is read but those who have one; to count every child in an index costs more


def filled(folder, children):
    """Store two lists of some children at twenty schools; what stands above the list is of the same few children however many there are."""
    folder.mkdir()
    url = f"sqlite:///{folder / 'onroll.db'}"
    store = Store(url, b"a key for tests, of 32 letters!!!")
    for day in DAYS:
        rows = [{**score(f"p{n:05}", n + 1, day=day), "urn": str(100 + n % 20)} for n in range(children)]
        store.save([{**r, "reasons": []} for r in rows if r["pupil_id"] != "p00001" or day == DAYS[0]])
    gathered = Gathered(as_of=date(2025, 1, 13), authorities=frozenset({"801"}))
    gathered.involvements = [Involvement(pupil_id="p00001", kind="cme", since=date(2025, 1, 9))]
    started, due = date(2025, 1, 9), date(2025, 1, 23)
    gathered.deadlines = [Deadline(pupil_id="p00002", kind="destination", urn="102", started_on=started, due_on=due)]
    gathered.silent_children = [SilentChild(pupil_id="p00002", since=date(2024, 12, 9), days=12)]
    with store.change(Caller("lead", "lead", "801")) as change:
        casework.keep(change, gathered, "1")
        ref = change.connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == "p00002"))
        cases.open_case(change, ref)
    with store.change(Caller("lead", "lead", "801")) as change:
        details.save(change, Cipher([b"k" * 64]), {f"p{n:05}": {"name": f"Child {n}"} for n in range(children)})
    store.engine.dispose()
    return url


@pytest.fixture(scope="module")
def urls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")
    return {children: filled(folder / str(children), children) for children in (FEW, MANY)}


def app_of(url, tmp_path, monkeypatch):
    (tmp_path / "access.toml").write_text(ACCESS)
    for name, value in {"DATABASE_URL": url, "ACCESS": str(tmp_path / "access.toml"), "DEVELOPMENT": "1"}.items():
        monkeypatch.setenv(f"ONROLL_{name}", value)
    monkeypatch.setenv("ONROLL_PEOPLE_KEY_FILE", str(write_key(tmp_path)))
    monkeypatch.setenv("ONROLL_AUDIT_KEY", "a key for tests, of 32 letters!!!")
    return make_app(settings(), "127.0.0.1")


def steps_of(url, user, address, tmp_path, monkeypatch):
    """Return the steps of SQLite's machine for a page, and the page."""
    app, counted = app_of(url, tmp_path, monkeypatch), [0]
    visitor = Visitor(app, user)

    def count():
        counted[0] += STEP

    def watch(connection, *_):
        connection.set_progress_handler(count, STEP)

    sa.event.listen(app.state.store.engine, "checkout", watch)
    visitor.get(address)
    counted[0] = 0
    page = visitor.get(address).text
    app.state.store.engine.dispose()
    return counted[0], page


@pytest.mark.parametrize("user", ["lead", "north"])
@pytest.mark.parametrize(
    "address", ["/work-list", "/work-list?show=silent", "/work-list?theme=Attendance&year=7", "/team", "/clocks"]
)
def test_no_page_asks_the_database_the_same_twice(urls, user, address, tmp_path, monkeypatch):
    app, asked = app_of(urls[FEW], tmp_path, monkeypatch), Counter()
    visitor = Visitor(app, user)
    visitor.get(address)

    def note(_connection, _cursor, statement, parameters, *_):
        if statement.startswith("SELECT"):
            asked[statement, str(parameters)] += 1

    sa.event.listen(app.state.store.engine, "before_cursor_execute", note)
    assert visitor.get(address).status_code in (200, 403)
    app.state.store.engine.dispose()
    assert not {question: times for question, times in asked.items() if times > 1}


@pytest.mark.parametrize("user", ["lead", "north", "named"])
@pytest.mark.parametrize(
    "address",
    [
        "/work-list",
        "/work-list?year=7",
        "/work-list?show=mine",
        "/work-list?show=aside",
        "/work-list?show=silent",
        "/clocks",
    ],
)
def test_pages_read_no_more_of_many_children_than_of_few(urls, user, address, tmp_path, monkeypatch):
    (few, _), (many, page) = (steps_of(urls[n], user, address, tmp_path, monkeypatch) for n in (FEW, MANY))
    assert 'id="with-case"' in page or user == "north" or address == "/clocks"
    assert "p00002" in page or "Child 2<" in page or address != "/clocks", "a page without a duty reads little anyway"
    most = PER_CHILD_OF_DUTIES if address == "/clocks" else PER_CHILD
    assert many - few < most * (MANY - FEW), f"{few} steps for {FEW} children, {many} for {MANY}"


@pytest.mark.parametrize(
    ("caller", "schools"),
    [
        (Caller("lead", "lead", "801"), [str(n) for n in range(100, 120)]),
        (Caller("north", "worker", "801", ("101", "100", "999")), ["100", "101"]),
        (Caller("all", "administrator", None), [str(n) for n in range(100, 120)]),
        (Caller("other", "lead", "802"), []),
        (Caller("analyst", "analyst", "801"), []),
    ],
)
def test_the_schools_of_a_list_are_those_of_its_children(urls, caller, schools):
    store = Store(urls[FEW], b"a key for tests, of 32 letters!!!")
    with store.change(caller) as change:
        gone = sa.update(Pupil).where(Pupil.urn == "119")
        change.connection.execute(gone.values(left_from="802"))
        here = own_schools(change)
        change.connection.execute(gone.values(left_from=None))
        change.record("cases.counted", count=0)
    assert here == [urn for urn in schools if urn != "119"]
    with store.view(caller) as view:
        assert own_schools(view) == schools
        view.record("cases.counted", count=0)
    store.engine.dispose()
