"""Names and other personal details: only for callers with the right, within their scope, never in clear at rest, and gone when erased."""

import io
import json
import logging
from dataclasses import replace
from types import SimpleNamespace

import openpyxl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from starlette.testclient import TestClient

from histories.errors import Faults
from histories.settings import settings
from serving.access.permissions import RULES
from serving.cli.main import onroll
from serving.http.api import make_app
from serving.http.guard import Guard
from serving.store.cases import cases, casework
from serving.store.database import reading, writing
from serving.store.people.tables import StoredDetails
from serving.store.tables import AuditEntry
from tests.support.forms import submit
from tests.support.named_children import (
    ABROAD,
    CHILD,
    USERS,
    VALUES,
    WITHOUT_THE_RIGHT,
    name_children,
    reference_of,
    write_key,
    written_in,
)
from tests.support.scores import full_score
from tests.support.stores import do, gathered

PAGES = [r.route for r in RULES if r.page and r.method == "GET" and "{" not in r.route]
TYPED = ("canary", "zoe o'can", "ZOË", VALUES["upn"], f" {VALUES['upn'].lower()} ")


@pytest.fixture
def named(tmp_path, bundle, monkeypatch):
    """The application with a named child in each of two authorities: ``store``, ``path`` of the first, and ``visit(user)``."""
    (tmp_path / "access.toml").write_text(USERS)
    monkeypatch.setenv("ONROLL_ACCESS", str(tmp_path / "access.toml"))
    monkeypatch.setenv("ONROLL_MODEL", str(bundle))
    monkeypatch.setenv("ONROLL_DEVELOPMENT", "1")
    key = write_key(tmp_path.parent / f"{tmp_path.name}-keys")
    monkeypatch.setenv("ONROLL_PEOPLE_KEY_FILE", str(key))
    app = make_app(settings(), "127.0.0.1")
    store = app.state.store
    store.save([full_score(CHILD, "801"), full_score(ABROAD, "802")])
    material = gathered(CHILD, off_roll=(CHILD,))
    material.pupil_histories = {}
    material.transitions = [replace(move, state="no_application") for move in material.transitions]
    do(store, casework.keep, material, "1")
    assert name_children(store, settings()) == 2

    def visit(user):
        client = TestClient(
            Guard(app, people=app.state.people, refusals=store.refusals),
            base_url="http://127.0.0.1",
            follow_redirects=False,
            client=("127.0.0.1", 50_000),
        )
        submit(client, "/sign-in", "/sign-in", user=user)
        return client

    reference = reference_of(store, CHILD)
    do(store, cases.open_case, reference)
    path = f"/pupils/{reference}"
    yield SimpleNamespace(store=store, path=path, visit=visit, app=app, key=key, database=tmp_path / "onroll.db")
    store.engine.dispose()


def find(client, typed):
    return submit(client, "/about", "/work-list/find", reference=typed)


def rows(answer):
    return [c.value for row in openpyxl.load_workbook(io.BytesIO(answer.content)).active for c in row]


@pytest.mark.parametrize("user", ["named", "lead"])
def test_who_has_the_right_sees_the_names_of_their_own_children(named, user):
    client = named.visit(user)
    for page in ("/work-list", "/clocks", "/no-roll", "/transition", *(("/team",) if user == "lead" else ())):
        assert "Zoë O&#39;Canary" in client.get(page).text, page
    child = client.get(named.path).text
    assert {"O&#39;Canary", "Kestrel", "B801200005001", "SYS-987123", "1 May 2013"} <= written_in(child)
    assert "Canary" not in child.split("</title>")[0]
    assert "O'Canary" in client.get("/work-list.csv").text
    assert VALUES["name"] in rows(client.get("/work-list.xlsx"))
    for typed in (*TYPED, CHILD):
        assert find(client, typed).headers["location"] == named.path, typed


@pytest.mark.parametrize("user", WITHOUT_THE_RIGHT)
def test_who_lacks_the_right_sees_no_name_in_any_page_file_or_search(named, user):
    client = named.visit(user)
    for page in (*PAGES, named.path):
        assert written_in(client.get(page).text) == set(), page
    assert not {str(v) for v in VALUES.values()} & {str(v) for v in _cells(client)}
    for typed in TYPED:
        answer = find(client, typed)
        assert "location" not in answer.headers, typed
        assert 'id="matches"' not in answer.text


def _cells(client):
    answer = client.get("/work-list.xlsx")
    return rows(answer) if answer.status_code == 200 else []


def test_the_interface_answers_no_name_even_to_a_key_with_the_right(named):
    _, key = named.store.create_key("lead", "801", names=True)
    headers = {"Authorization": f"Bearer {key}"}
    client = TestClient(Guard(named.app), base_url="http://127.0.0.1", headers=headers, client=("127.0.0.1", 50_000))
    for path, body in (("scores", {"pupil_ids": [CHILD]}), ("worklist", {"limit": 10}), ("counts", {"by": "urn"})):
        answer = client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == 200
        assert written_in(answer.text) == set()
    assert written_in(client.get("/api/v1/model").text) == set()


def test_the_right_ends_at_the_border_of_the_authority(named):
    client = named.visit("elsewhere")
    assert "Ann Sparrow" in client.get("/work-list").text
    for page in (*PAGES, named.path):
        assert written_in(client.get(page).text) - {"1 May 2013", "2013-05-01"} == set(), page
    for typed in TYPED:
        answer = find(client, typed)
        assert answer.status_code == 422
        assert 'id="matches"' not in answer.text


def test_the_right_ends_at_once_when_it_is_taken_away(named, tmp_path):
    client = named.visit("named")
    assert "Canary" in client.get("/work-list").text
    access = tmp_path / "access.toml"
    access.write_text(USERS.replace('"801", names = true', '"801"'))
    assert "Canary" not in client.get("/work-list").text
    assert client.get("/work-list").status_code in (303, 401)


def test_every_view_of_names_is_in_the_audit(named):
    client = named.visit("named")
    for page, where in ((named.path, "pupil"), ("/work-list", "work_list"), ("/work-list.csv", "work_list.export")):
        client.get(page)
        entry = _newest(named.store, "details.seen")
        assert json.loads(entry.details)["where"] == where
        assert json.loads(entry.pupils) == [named.store.chain.reference(CHILD)]
        assert entry.who == "dev:named"
    find(client, "canary")
    entry = _newest(named.store, "details.searched")
    assert json.loads(entry.pupils) == [named.store.chain.reference(CHILD)]
    assert "canary" not in entry.details.lower()
    before = _count(named.store)
    named.visit("worker").get("/work-list")
    assert _count(named.store) == before


def _newest(store, action):
    with reading(store.engine) as connection:
        query = sa.select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.seq.desc()).limit(1)
        return connection.execute(query).one()


def _count(store):
    with reading(store.engine) as connection:
        entries = sa.select(sa.func.count()).select_from(AuditEntry)
        return connection.scalar(entries.where(AuditEntry.action.like("details.s%")))


def test_no_file_of_the_database_and_no_line_of_the_log_holds_a_value(named, caplog):
    caplog.set_level(logging.DEBUG)
    client = named.visit("named")
    for page in (named.path, "/work-list", "/work-list.csv"):
        client.get(page)
    for typed in (*TYPED, "Nobody Canary"):
        find(client, typed)
    named.store.engine.dispose()
    held = b"".join(file.read_bytes() for file in named.database.parent.glob("onroll.*"))
    for text in (held.decode("latin-1"), held.decode("utf-8", "ignore"), caplog.text):
        assert written_in(text) == set()
        assert "canary" not in text.lower()


def test_a_row_that_was_moved_to_another_child_is_not_shown(named, caplog):
    """Whoever can write to the database, without the key, cannot show one child's name as another's, or a changed one."""
    sealed = sa.select(StoredDetails.sealed).where(StoredDetails.pupil_id == ABROAD).scalar_subquery()
    with writing(named.store.engine) as connection:
        connection.execute(sa.update(StoredDetails).where(StoredDetails.pupil_id == CHILD).values(sealed=sealed))
    client = named.visit("named")
    text = client.get(named.path).text
    assert "Sparrow" not in text
    assert f"Child {CHILD}" in text
    assert "cannot be decrypted" in caplog.text
    assert CHILD not in caplog.text


def test_another_key_is_refused_by_the_service_and_by_the_import(named, tmp_path, monkeypatch):
    other = write_key(named.key.parent, "other-key", "o")
    monkeypatch.setenv("ONROLL_PEOPLE_KEY_FILE", str(other))
    with pytest.raises(Faults, match="another key encrypted"):
        make_app(settings(), "127.0.0.1")
    (tmp_path / "people.csv").write_text(f"reference,name\n{CHILD},Somebody Else\n")
    run = CliRunner().invoke(onroll, ["people", "import", "people.csv"])
    assert "another key encrypted" in str(run.exception)
    assert CliRunner().invoke(onroll, ["people", "status"]).exit_code == 1
    # Both keys, the new one last: the old rows can be read, and are encrypted anew.
    other.write_text(f"{'k' * 64}\n{'o' * 64}\n")
    assert CliRunner().invoke(onroll, ["people", "rekey"]).exit_code == 0
    other.write_text(f"{'o' * 64}\n")
    assert CliRunner().invoke(onroll, ["people", "status"]).exit_code == 0
    monkeypatch.setenv("ONROLL_PEOPLE_KEY_FILE", str(named.key))
    assert CliRunner().invoke(onroll, ["people", "status"]).exit_code == 1


@pytest.mark.parametrize(
    "place", ["key", "below/key", "../{away}/../{here}/key", "histories/key", "histories.linkage/key"]
)
def test_a_key_that_lies_with_the_data_is_refused(tmp_path, monkeypatch, place):
    file = tmp_path / place.format(away="away", here=tmp_path.name)
    (tmp_path.parent / "away").mkdir(exist_ok=True)
    monkeypatch.setenv("ONROLL_PEOPLE_KEY_FILE", str(write_key(file.parent, file.name)))
    run = CliRunner().invoke(onroll, ["people", "status"])
    assert isinstance(run.exception, Faults)
    assert "lies with the data" in str(run.exception)


@pytest.mark.parametrize("place", ["histories/key", "histories.linkage/key"])
def test_a_key_in_histories_elsewhere_is_refused_by_the_import(tmp_path, monkeypatch, place):
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    for folder in ("histories", "histories.linkage"):
        (elsewhere / folder).mkdir(parents=True)
    monkeypatch.setenv("ONROLL_PEOPLE_KEY_FILE", str(write_key((elsewhere / place).parent, "key")))
    run = CliRunner().invoke(onroll, ["people", "import", "--linkage", str(elsewhere / "histories")])
    assert "lies with the data" in str(run.exception)


@pytest.mark.parametrize("use", ["ONROLL_PSEUDONYM_KEY", "ONROLL_AUDIT_KEY"])
def test_a_key_that_serves_something_else_is_refused(tmp_path, monkeypatch, use):
    monkeypatch.setenv("ONROLL_PEOPLE_KEY_FILE", str(write_key(tmp_path.parent / f"{tmp_path.name}-keys")))
    monkeypatch.setenv(use, "k" * 64)
    run = CliRunner().invoke(onroll, ["people", "status"])
    assert "used for something else" in str(run.exception)


def test_an_erased_child_leaves_no_details_and_subject_access_gives_them_before(named, tmp_path):
    (tmp_path / "pupils.txt").write_text(f"{CHILD}\n")
    assert CliRunner().invoke(onroll, ["subject-access", CHILD, "--out", "held.json"]).exit_code == 0
    (held,) = json.loads((tmp_path / "held.json").read_text())["tables"]["personal_details"]
    assert held["name"] == VALUES["name"]
    assert held["school_contact"] == VALUES["school_contact"]
    CliRunner().invoke(onroll, ["erase", "--pupil-file", "pupils.txt", "--reason", "asked"])
    with reading(named.store.engine) as connection:
        assert list(connection.scalars(sa.select(StoredDetails.pupil_id))) == [ABROAD]
