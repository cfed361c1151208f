"""Every page with every role: who may open it, whose children it shows, that its entries name them, and that an analyst sees no child."""

import io
import json
import re
import time

import httpx2
import openpyxl
import pytest
import sqlalchemy as sa

from serving.access.permissions import RULES
from serving.roles import ROLES
from serving.store.database import reading
from serving.store.scores.chosen import SHOWS
from serving.store.tables import AuditEntry, Pupil
from tests.support.forms import submit

PAGES = [r for r in RULES if r.page]
# The fields of each form; a form that is missing here fails the test.
SENT = {
    "/sign-in": {"user": "lead"},
    "/sign-out": {"now": "1"},
    "/sessions/end": {"session": "0" * 12},
    "/pupils/{pupil_ref}/{what}": {"version": "0", "text": "a note"},
    "/clocks/{clock_id}": {"version": "1", "text": "by telephone"},
    "/cases/{case_id}/hand-over": {"version": "1", "consent": "parent"},
    "/no-roll/{pupil_ref}": {"now": "1"},
    "/work-list/find": {"reference": "nobody"},
    "/work-list/filters": {"name": "mine"},
    "/work-list/filters/{filter_id}/remove": {"now": "1"},
    "/work-list/assign": {"to": ""},
    "/work-list/{pupil_ref}/contact": {"version": "0", "on": "2025-04-28", "outcome": "no_answer"},
    "/work-list/{pupil_ref}/wake": {"version": "0"},
    "/team": {"version": "0", "per_week": "8"},
    "/faults/{fault_id}": {"version": "1", "text": "looked at"},
    "/faults/{fault_id}/release": {"version": "1", "text": "looked at"},
}
AT_THE_PROVIDER = (
    "/sign-in/done",
    "/sign-in/provider",
    "/sign-in/callback",
)  # not there without [sign_in]; tests/attacks/test_provider_sign_in.py
IDS = {"what": "note", "clock_id": "0" * 32, "fault_id": "0" * 32, "case_id": "0" * 32, "filter_id": "0" * 32}


def refs(site):
    with site.store.engine.connect() as connection:
        return {r.pupil_ref: r for r in connection.execute(Pupil.__table__.select())}


def address(rule, ref):
    return re.sub(r"{(\w+)}", lambda m: {**IDS, "pupil_ref": ref}[m.group(1)], rule.route)


def call(client, rule, ref):
    if rule.method == "GET":
        return client.get(address(rule, ref))
    return client.submit("/about" if rule.route != "/sign-in" else "/sign-in", address(rule, ref), **SENT[rule.route])


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_its_pages_and_no_other(site, visit, role):
    ref = sorted(refs(site))[0]
    for rule in PAGES:
        answer = call(visit(role), rule, ref)
        if role not in rule.roles:
            assert answer.status_code == 403, rule
            assert "You cannot see this page" in answer.text
        elif IDS["clock_id"] in address(rule, ref) or rule.route in AT_THE_PROVIDER:
            assert answer.status_code == 404, rule
        else:
            assert answer.status_code in (200, 303, 409, 422), rule


def test_signed_out_visitors_open_only_the_open_pages(visit):
    client = visit()
    for rule in PAGES:
        if not rule.is_open and rule.method == "GET":
            assert client.get(address(rule, "0" * 32)).headers["location"] == "/sign-in", rule
        elif not rule.is_open:
            assert client.post(address(rule, "0" * 32), data=SENT[rule.route]).status_code == 401, rule


def test_no_form_is_read_without_the_token_of_its_session(site, visit):
    ref = sorted(refs(site))[0]
    for role in ROLES:
        client = visit(role)
        for rule in PAGES:
            if rule.method == "POST" and role in rule.roles:
                assert client.post(address(rule, ref), data=SENT[rule.route]).status_code == 403, rule


def ids_on(text, site):
    return site.pupil_ids.intersection(re.findall(r"\w+", text))


def test_a_worker_sees_only_children_of_their_schools(site, visit):
    urn_of = {s.pupil_id: s.urn for s in site.scores}
    for user, urns in (("north", site.north), ("worker", set(site.urns)), ("stranger", set())):
        client = visit(user)
        for path in ("/work-list", "/clocks", "/no-roll", "/transition", "/work-list.csv"):
            seen = {urn_of[p] for p in ids_on(client.get(path).text, site)}
            assert seen <= urns, (user, path)
        for ref, row in refs(site).items():
            if row.urn not in urns:
                assert client.get(f"/pupils/{ref}").status_code == 404
                assert client.submit("/about", f"/pupils/{ref}/note", version="0", text="x").status_code == 404
                break
    assert len(ids_on(visit("worker").get("/work-list").text, site)) == 8


def test_an_analyst_meets_no_child(site, visit):
    client = visit("analyst")
    for rule in PAGES:
        if rule.method == "GET" and "analyst" in rule.roles:
            text = client.get(rule.route).text
            assert ids_on(text, site) == set()
            assert not any(ref in text for ref in refs(site))


def test_no_address_of_a_page_holds_a_pupil(site, visit):
    for path in ("/work-list", "/clocks", "/no-roll", "/transition"):
        links = re.findall(r'(?:href|action)="([^"]*)"', visit("lead").get(path).text)
        assert any("/pupils/" in link for link in links)
        assert all(ids_on(link, site) == set() for link in links)


def test_no_line_of_the_servers_log_holds_a_pupil(site):
    """Including views of a child, notes about a child, and a wrong URL."""
    with httpx2.Client(base_url=site.url) as client:
        submit(client, "/sign-in", "/sign-in", user="lead")
        path = re.search(r'href="(/pupils/[0-9a-f]{32})"', client.get("/work-list").text).group(1)
        child = re.search(r"<h1[^>]*>.*?(\w+)</h1>", client.get(path).text).group(1)
        assert child in {s.pupil_id for s in site.scores}
        assert submit(client, path, f"{path}/note", version="no number", text=child).status_code == 400
        assert client.get(f"/pupils/{child}").status_code == 404
    deadline = time.monotonic() + 20
    while '"status": 404' not in (written := site.log.read_text()):
        assert time.monotonic() < deadline, "the service did not log what was asked"
    assert '"/pupils/{pupil_ref}"' in written
    assert '"/pupils/{pupil_ref}/{what}"' in written
    assert ids_on(written, site) == set()
    assert not any(ref in written for ref in refs(site))


USERS = ("worker", "north", "lead", "named", "analyst", "administrator", "stranger")
CHILDREN = 12  # whose own pages are opened
ROUTES = [rule.route for rule in RULES if rule.page and rule.method == "GET" and "sign-in" not in rule.route]
VIEWS = [f"/work-list{kind}?show={show}" for kind in ("", ".csv", ".xlsx") for show in SHOWS]


@pytest.fixture(scope="module")
def known(site):
    """Every child of the store: by reference in addresses, and by reference in the audit."""
    with reading(site.store.engine) as connection:
        by_ref = {r.pupil_ref: r.pupil_id for r in connection.execute(sa.select(Pupil.pupil_ref, Pupil.pupil_id))}
    in_audit = {ref: pupil for pupil in by_ref.values() for ref in site.store.chain.references(pupil)}
    return by_ref, in_audit


def newest(site):
    with reading(site.store.engine) as connection:
        return connection.scalar(sa.select(sa.func.max(AuditEntry.seq)))


def recorded(site, known, since):
    """Return the children in the entries after one."""
    with reading(site.store.engine) as connection:
        lists = connection.scalars(sa.select(AuditEntry.pupils).where(AuditEntry.seq > since)).all()
    return {known[1][ref] for pupils in lists for ref in json.loads(pupils)}


def text_of(answer):
    if "spreadsheetml" not in answer.headers.get("content-type", ""):
        return answer.text
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content), read_only=True).active
    return "\n".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row)


def shown(known, text):
    """Return the children whom a page links or names."""
    words = set(re.findall(r"\w+", text))
    return {pupil for ref, pupil in known[0].items() if ref in words or pupil in words}


@pytest.mark.parametrize("user", USERS)
def test_no_page_shows_a_child_of_whom_its_entries_say_nothing(site, visit, known, user):
    client, seen = visit(user), set()
    of_children = [f"/pupils/{ref}" for ref in sorted(known[0])[:CHILDREN]]
    groups = [f"{route}?of={group}" for route, group in (("/clocks", "late"), ("/no-roll", "elsewhere"))]
    for path in (*(r for r in ROUTES if "{" not in r), *VIEWS, *groups, *of_children):
        before = newest(site)
        answer = client.get(path)
        on_page, in_audit = shown(known, text_of(answer)), recorded(site, known, before)
        assert on_page <= in_audit, (path, len(on_page - in_audit))
        seen |= on_page
    assert bool(seen) == (user not in ("analyst", "stranger"))


def test_a_page_with_an_error_records_whom_it_shows(site, visit, known):
    """A form that was refused shows its page again."""
    client = visit("lead")
    for path, form, sent in (
        ("/team", "/team", {"version": "0", "per_week": "many"}),
        ("/work-list", "/work-list/assign", {"to": "nobody"}),
    ):
        before = newest(site)
        answer = client.submit(path, form, **sent)
        assert answer.status_code in (409, 422), form
        assert shown(known, answer.text) <= recorded(site, known, before), form


def test_what_is_compared_sees_a_child_of_whom_nothing_is_recorded(site, known):
    ref, pupil = next(iter(known[0].items()))
    assert shown(known, f'<a href="/pupils/{ref}">') == shown(known, f"<td>{pupil}</td>") == {pupil}
    assert recorded(site, known, newest(site)) == set()
