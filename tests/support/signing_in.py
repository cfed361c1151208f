"""Signing in at the provider of tests: the access file, the browser, and what an application answers."""

from urllib.parse import parse_qs, urlsplit

import httpx2
from starlette.testclient import TestClient

from serving.http.guard import Guard
from serving.store.audit.audit_log import entries
from serving.store.caller import command_line

ACCESS = """
[tokens]
issuer = "{issuer}"
audience = "onroll"
jwks = "{issuer}/keys"
{tokens}
[sign_in]
client_id = "{client}"
redirect_uri = "http://127.0.0.1/sign-in/callback"
{sign_in}
[roles]
"Onroll.Worker" = "worker"
"Onroll.Admin" = "administrator"
[groups]
"cme-801" = {{authority = "801"}}
"""
CONFIDENTIAL = 'client_secret_file = "client.secret"'
COOKIE = "onroll-sign-in"


def browser(app, address="192.0.2.1", **cookies):
    """Return a browser on a page of the service."""
    guarded = Guard(app, people=app.state.people, refusals=app.state.store.refusals)
    return TestClient(
        guarded,
        base_url="http://127.0.0.1",
        follow_redirects=False,
        cookies=cookies,
        headers={"Sec-Fetch-Site": "same-origin"},
        client=(address, 50_000),
    )


def begun(client, path="/sign-in/provider"):
    """Return the provider's answer to an attempt, as an address of this service."""
    answer = client.get(path)
    assert answer.status_code == 303, answer.text
    return httpx2.get(answer.headers["location"]).headers["location"]


def requested(client):
    """Return what an attempt requests of the provider."""
    return {
        name: value[0]
        for name, value in parse_qs(urlsplit(client.get("/sign-in/provider").headers["location"]).query).items()
    }


def is_in(client):
    """Return whether the browser is signed in."""
    return client.get("/").headers["location"] == "/work-list"


def audited(app):
    """Return what the audit holds."""
    app.state.store.refusals.flush()
    with app.state.store.view(command_line()) as view:
        audit = [(e["action"], e["who"], e["details"].get("reason")) for e in entries(view)]
        view.record("audit.seen")
    return audit


def refused(app, client, address, status, says, way_on="/sign-in"):
    """Check that an answer opens no session, and says what to do."""
    answer = client.get(address)
    assert (answer.status_code, says in answer.text) == (status, True), answer.text
    assert f'href="{way_on}"' in answer.text
    assert not is_in(client)
    return answer
