"""One server and one population for all tests of pages, and Debian's browser."""

import shutil
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from histories.opening import Histories
from serving.pages.settings import PageSettings
from serving.running import running
from serving.store import Store
from training.risk_model import RiskModel

ROOT = Path(__file__).parents[2]
DAYS = (date(2025, 4, 21), date(2025, 4, 28))
ACCESS = """
[localities]
north = [{north}]
[development]
worker = {{role = "worker", authority = "{authority}"}}
second = {{role = "worker", authority = "{authority}"}}
north = {{role = "worker", authority = "{authority}", urns = [{north}]}}
lead = {{role = "lead", authority = "{authority}"}}
analyst = {{role = "analyst", authority = "{authority}"}}
administrator = {{role = "administrator"}}
stranger = {{role = "worker", authority = "999"}}
"""


def _filled(home: Path, histories: Path, bundle: Path) -> tuple[Store, str]:
    """Store two weeks' lists and what workers need beside them; return the store and the authority."""
    model, opened, pages = RiskModel.load(bundle), Histories.open(histories), PageSettings.load(None)
    store = Store(f"sqlite:///{home / 'onroll.db'}")
    for day in DAYS:
        scores = model.score(opened, day)
        store.save(s.to_dict() for s in scores)
        store.keep(opened, scores, pages.rules(), pages.calendar.closed)
    urns = sorted({s.urn for s in scores})
    north = ", ".join(f'"{u}"' for u in urns[: len(urns) // 2])
    (home / "access.toml").write_text(ACCESS.format(authority=scores[0].authority, north=north))
    return store, scores[0].authority


@pytest.fixture(scope="session")
def site(tmp_path_factory, small_histories, bundle):
    """A running service with two weeks' lists: ``url``, ``store``, ``authority``."""
    home = tmp_path_factory.mktemp("site")
    store, authority = _filled(home, small_histories, bundle)
    environment = {"ONROLL_MODEL": str(bundle), "ONROLL_ACCESS": str(home / "access.toml"), "PYTHONPATH": str(ROOT)}
    with running(home / "service.log", home, environment) as url:
        yield SimpleNamespace(url=url, store=store, authority=authority, log=home / "service.log", home=home)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}


@pytest.fixture
def browser_context_args(browser_context_args):
    return {**browser_context_args, "java_script_enabled": True}


@pytest.fixture
def signed_in(site, page):
    """Sign a user in with the browser, as people do."""

    def sign_in(user):
        page.goto(f"{site.url}/sign-in")
        page.get_by_label(user, exact=True).check()
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/work-list" if user != "analyst" else "**/model")
        return page

    return sign_in
