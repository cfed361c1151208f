"""Visiting the pages of an application in this process, signed in as a development user."""

from starlette.testclient import TestClient

from serving.http.guard import Guard
from tests.support.forms import submit


class Visitor(TestClient):
    """A test client in this process, signed in as a development user."""

    def __init__(self, app, user=None):
        guarded = Guard(app, people=app.state.people, refusals=app.state.store.refusals)
        local = ("127.0.0.1", 50_000)
        super().__init__(guarded, base_url="http://127.0.0.1", follow_redirects=False, client=local)
        if user:
            self.submit("/sign-in", "/sign-in", user=user)

    def submit(self, page, to, /, **fields):
        """Submit a form with the page's CSRF token."""
        return submit(self, page, to, **fields)
