"""Signing in: a new secret each time, forms of the same session only, and no access after its end."""

import hashlib
import re
from base64 import urlsafe_b64decode
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from histories.errors import Faults
from histories.settings import settings
from serving.access.permissions import RULES
from serving.access.sessions import token
from serving.http.api import make_app
from serving.http.guard import Guard
from serving.pages.settings import PageSettings
from serving.store.audit.audit_log import entries
from serving.store.caller import command_line
from serving.store.sign_in.sessions import Session

PAGES = [rule for rule in RULES if rule.page]
SECRET = "s" * 40
DEVELOPMENT = """
[development]
ann = {role = "worker", authority = "801"}
bob = {role = "analyst", authority = "801"}
"""
PROXY = """
[proxy]
secret_file = "secret"
roles_header = "X-Forwarded-Groups"
[roles]
"Onroll.Worker" = "worker"
[groups]
"cme-801" = {authority = "801"}
"""


def application(folder, bundle, monkeypatch, access):
    (folder / "access.toml").write_text(access)
    (folder / "secret").write_text(SECRET)
    (folder / "secret").chmod(0o600)
    monkeypatch.setenv("ONROLL_ACCESS", "access.toml")
    monkeypatch.setenv("ONROLL_MODEL", str(bundle))
    monkeypatch.setenv("ONROLL_DEVELOPMENT", "1")
    return make_app(settings(), "127.0.0.1")


@pytest.fixture
def app(tmp_path, bundle, monkeypatch):
    return application(tmp_path, bundle, monkeypatch, DEVELOPMENT)


@pytest.fixture
def behind_proxy(tmp_path, bundle, monkeypatch):
    return application(tmp_path, bundle, monkeypatch, PROXY)


def browser(app, **more):
    guarded = Guard(app, people=app.state.people, refusals=app.state.store.refusals)
    more = {"client": ("127.0.0.1", 50_000), **more}
    return TestClient(guarded, base_url="http://127.0.0.1", follow_redirects=False, **more)


def csrf(page):
    return re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text).group(1)


def sign_in(client, headers=None, **fields):
    token = csrf(client.get("/sign-in", headers=headers))
    return client.post("/sign-in", data={"csrf": token, **fields}, headers=headers)


def audited(app):
    with app.state.store.view(command_line()) as view:
        actions = [(e["action"], e["who"]) for e in entries(view)]
        view.record("audit.seen")
    return actions


@pytest.mark.parametrize("way", ["development user", "key", "proxy"])
def test_each_way_in_gives_a_session_and_all_is_in_the_audit(tmp_path, bundle, monkeypatch, way):
    app = application(tmp_path, bundle, monkeypatch, PROXY if way == "proxy" else DEVELOPMENT)
    _, key = app.state.store.create_key("lead", "801")
    by_proxy = {
        "X-Onroll-Proxy-Secret": SECRET,
        "X-Forwarded-User": "cat",
        "X-Forwarded-Groups": "Onroll.Worker, cme-801",
    }
    who, headers, fields = {
        "development user": ("dev:ann", {}, {"user": "ann"}),
        "key": (key.split("_")[1], {}, {"key": key}),
        "proxy": ("proxy:cat", by_proxy, {}),
    }[way]
    client = browser(app)
    answer = sign_in(client, headers, **fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/"))
    assert "Secure" not in cookie
    assert client.get("/", headers=headers).headers["location"] == "/work-list"
    assert ("session.opened", who) in audited(app)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Ann Example", "Ann Example"),
        ("Zoë Example".encode(), "Zoë Example"),
        ("Zoë Example".encode("latin-1"), "Zoë Example"),
        ("Ann\u202eelpmaxE".encode(), "AAAAf3k"),  # characters that turn the line around are no name
        ("", "AAAAf3k"),
        (None, "AAAAf3k"),
    ],
)
def test_pages_call_a_person_as_the_proxy_does_and_the_audit_keeps_the_account(
    tmp_path, bundle, monkeypatch, sent, shown
):
    app = application(tmp_path, bundle, monkeypatch, PROXY.replace("[roles]", 'name_header = "X-Name"\n[roles]'))
    headers = {"X-Onroll-Proxy-Secret": SECRET, "X-Forwarded-User": "AAAAf3k"}
    headers |= {"X-Forwarded-Groups": "Onroll.Worker, cme-801"} | ({} if sent is None else {"X-Name": sent})
    client = browser(app)
    assert f"At work you are signed in as {shown}." in client.get("/sign-in", headers=headers).text
    sign_in(client, headers)
    assert f"Signed in as {shown}" in client.get("/work-list", headers=headers).text
    assert ("session.opened", "proxy:AAAAf3k") in audited(app)


def test_a_key_typed_behind_a_proxy_is_not_called_by_the_proxys_name(tmp_path, bundle, monkeypatch):
    app = application(tmp_path, bundle, monkeypatch, PROXY.replace("[roles]", 'name_header = "X-Name"\n[roles]'))
    _, key = app.state.store.create_key("lead", "801", holder="Bob Example")
    headers = {"X-Onroll-Proxy-Secret": SECRET, "X-Forwarded-User": "cat", "X-Name": "Cat Example"}
    headers |= {"X-Forwarded-Groups": "Onroll.Worker, cme-801"}
    client = browser(app)
    sign_in(client, headers)
    sign_in(client, headers, key=key)
    assert "Signed in as Bob Example" in client.get("/work-list").text


def test_away_from_this_machine_the_cookie_is_for_encrypted_connections_only(behind_proxy):
    answer = browser(behind_proxy).get("https://onroll.example/sign-in")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-onroll=")
    assert "Secure" in cookie


def test_a_first_visit_does_not_say_that_a_session_ended(app):
    client = browser(app)
    assert client.get("/work-list").headers["location"] == "/sign-in"
    assert "You are signed out" not in client.get("/sign-in").text


def test_a_form_secret_from_before_signing_in_is_invalid_after_it(app):
    client = browser(app)
    client.cookies.set("onroll", "known-to-an-attacker", domain="127.0.0.1")
    answer = client.post("/sign-in", data={"csrf": token("known-to-an-attacker"), "user": "ann"})
    assert answer.status_code == 303
    thief = browser(app, cookies={"onroll": "known-to-an-attacker"})
    assert thief.get("/").headers["location"] == "/sign-in?ended"
    for known in (token("known-to-an-attacker"), token(""), ""):
        assert client.post("/sign-out", data={"csrf": known}).status_code == 403, "a form that the attacker wrote"
    assert client.get("/").headers["location"] != "/sign-in?ended"
    first = client.cookies["onroll"]
    assert sign_in(client, user="bob").status_code == 303
    assert client.cookies["onroll"] != first
    assert browser(app, cookies={"onroll": first}).get("/").headers["location"] == "/sign-in?ended"


def test_each_sign_in_has_a_secret_of_256_random_bits(app):
    secrets = set()
    for _ in range(5):
        client = browser(app)
        sign_in(client, user="ann")
        secrets.add(client.cookies["onroll"])
    assert len(secrets) == 5
    assert all(len(urlsafe_b64decode(secret + "=")) == 32 for secret in secrets)
    columns = zip(*secrets, strict=True)
    assert sum(len(set(column)) == 1 for column in columns) < 5, "no part of it is fixed"


def test_pages_are_kept_by_no_browser_and_signing_out_clears_its_cache(app):
    """So that the back button shows no child; ``tests/pages/test_browser.py`` tries it in a browser."""
    client = browser(app)
    sign_in(client, user="ann")
    pages = [rule.route for rule in PAGES if rule.method == "GET" and "worker" in rule.roles and "{" not in rule.route]
    assert "/work-list" in pages
    for route in pages:
        assert client.get(route).headers["cache-control"] == "no-store", route
    ended = client.post("/sign-out", data={"csrf": csrf(client.get("/about"))})
    assert ended.headers["clear-site-data"] == '"cache"'
    assert client.get("/work-list").headers["location"].startswith("/sign-in")


def test_a_wrong_key_or_user_is_refused_and_audited(app):
    for fields in ({"key": "onroll_x_wrong"}, {"user": "nobody"}, {"key": "é"}):
        answer = sign_in(browser(app), **fields)
        assert answer.status_code in (400, 401)
        assert "There is a problem" in answer.text
        assert not any(value in answer.text for value in ("x_wrong", "é"))
    assert ("request.refused", "nobody") in audited(app)


@pytest.mark.parametrize("given", ["", "0" * 64, token("of another session")])
def test_a_form_of_no_page_of_the_session_is_refused(app, given):
    client = browser(app)
    sign_in(client, user="ann")
    assert client.post("/sign-out", data={"csrf": given}).status_code == 403
    assert client.get("/").status_code == 303


def test_a_form_from_another_site_is_refused(app):
    client = browser(app)
    sign_in(client, user="ann")
    held = {"csrf": csrf(client.get("/about"))}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert client.post("/sign-out", data=held, headers=headers).status_code == 403
    assert client.post("/sign-out", data=held, headers={"Origin": "http://127.0.0.1"}).status_code == 303


def test_a_session_ends_by_idling_by_age_by_sign_out_and_with_its_key(app):
    store = app.state.store
    _, key = store.create_key("lead", "801")
    for column, ago in (("seen_at", timedelta(minutes=31)), ("ends_at", timedelta(0))):
        client = browser(app)
        sign_in(client, key=key)
        with store.engine.begin() as connection:
            connection.execute(sa.update(Session).values({column: datetime.now(UTC) - ago}))
        assert client.get("/").headers["location"] == "/sign-in?ended"
    client = browser(app)
    sign_in(client, key=key)
    old = client.cookies["onroll"]
    ended = client.post("/sign-out", data={"csrf": csrf(client.get("/about"))})
    assert (ended.status_code, ended.headers["clear-site-data"]) == (303, '"cache"')
    assert browser(app, cookies={"onroll": old}).get("/").headers["location"] == "/sign-in?ended"
    client = browser(app)
    sign_in(client, key=key)
    store.revoke(key.split("_")[1])
    assert client.get("/").headers["location"] == "/sign-in?ended"


def test_a_session_ends_when_the_proxy_names_another_user(behind_proxy):
    headers = {
        "X-Onroll-Proxy-Secret": SECRET,
        "X-Forwarded-User": "cat",
        "X-Forwarded-Groups": "Onroll.Worker, cme-801",
    }
    client = browser(behind_proxy)
    sign_in(client, headers)
    assert client.get("/", headers=headers).headers["location"] == "/work-list"
    assert client.get("/", headers={**headers, "X-Forwarded-User": "dan"}).headers["location"] == "/sign-in?ended"


def test_a_cookie_opens_no_route_of_the_interface_and_a_key_no_page(app):
    _, key = app.state.store.create_key("lead", "801")
    client = browser(app)
    sign_in(client, key=key)
    assert client.post("/api/v1/worklist", json={}).status_code == 401
    assert browser(app).get("/", headers={"Authorization": f"Bearer {key}"}).headers["location"] == "/sign-in"


def test_pages_are_not_cached_and_run_no_script(app):
    client = browser(app)
    page = client.get("/sign-in")
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "script" not in policy
    assert "unsafe" not in policy
    assert "<script" not in page.text
    assert " style=" not in page.text


def test_what_a_browser_keeps_for_good_has_its_digest_in_its_address(app):
    client = browser(app)
    kept = re.findall(r'href="(/assets/[^"]+)"', client.get("/sign-in").text)
    assert [re.sub(r"-[0-9a-f]{12}", "", address) for address in kept][-2:] == [
        "/assets/onroll.css",
        "/assets/icon.svg",
    ]
    for address in kept:
        answer = client.get(address)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert hashlib.sha256(answer.content).hexdigest()[:12] in address
    for other in ("no-such.css", "icon.svg", "onroll-000000000000.css", "onroll.css"):
        assert client.get(f"/assets/{other}").status_code == 404, "nothing is kept under an address of other content"


def test_people_are_refused_by_a_page_and_programs_by_a_problem(app):
    client = browser(app)
    assert "There is nothing here" in client.get("/nowhere", headers={"Accept": "text/html"}).text
    assert client.get("/nowhere").headers["content-type"] == "application/problem+json"
    lost = client.post("/sign-out", data={"csrf": "x"})
    assert (lost.status_code, "You are signed out" in lost.text) == (401, True)
    assert client.post("/sign-in", content=b"{}", headers={"Content-Type": "application/json"}).status_code == 415
    assert client.post("/sign-in", data={"key": "x" * 70_000}).status_code == 413


def test_all_faults_of_the_pages_file_are_reported(tmp_path):
    (tmp_path / "pages.toml").write_text("idle_minutes = 0\nnothing = 1\n[actions]\n")
    with pytest.raises(Faults) as refused:
        PageSettings.load(tmp_path / "pages.toml")
    assert {f.where.rpartition(" ")[2] for f in refused.value.faults} == {"idle_minutes", "nothing", "actions"}


@pytest.mark.parametrize(
    ("written", "lacking"),
    [
        ('[outcomes]\nfine = "All is well"\n', {"no_conversation", "well"}),
        ('well = ["fine"]\n[outcomes]\nfine = "All is well"\nno_answer = "No answer"\n', set()),
        ('well = []\nno_conversation = []\n[outcomes]\nfine = "All is well"\n', set()),
        ('[outcomes]\nspoke_well = "All is well"\nno_answer = "No answer"\n', set()),
    ],
)
def test_who_brings_outcomes_of_their_own_says_what_they_mean(tmp_path, written, lacking):
    (tmp_path / "pages.toml").write_text(written)
    try:
        PageSettings.load(tmp_path / "pages.toml")
        found = set()
    except Faults as refused:
        found = {f.where.rpartition(" ")[2] for f in refused.faults}
    assert found == lacking
