"""A Monday at size: 20,000 made-up pupils, the real server, and a worker, a lead and an analyst in Debian's browser."""

from datetime import date, timedelta

import pytest

from histories.population.simulation import simulate
from serving.running import running
from tests.pages.conftest import ROOT, fill
from tests.pages.test_browser import holds

pytestmark = pytest.mark.prove


@pytest.fixture(scope="module")
def at_size(tmp_path_factory, bundle):
    home = tmp_path_factory.mktemp("at_size")
    simulate(home / "histories", pupils=20_000, years=1, seed=3)
    made = fill(home, home / "histories", bundle)
    environment = {"ONROLL_MODEL": str(bundle), "ONROLL_ACCESS": str(home / "access.toml"), "PYTHONPATH": str(ROOT)}
    with running(home / "service.log", home, environment) as made.url:
        yield made


def enter(page, url, user):
    page.goto(f"{url}/sign-in")
    page.get_by_label(user, exact=True).check()
    page.get_by_role("button", name="Sign in").click()


def test_a_monday_of_a_worker_a_lead_and_an_analyst(at_size, page):
    said = []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    enter(page, at_size.url, "worker")
    page.wait_for_url("**/work-list")
    assert page.locator(".onroll-list__item").count() == 8
    holds(page)
    page.get_by_label("Year group").select_option("9")
    page.get_by_role("button", name="Show").click()
    assert page.locator(".onroll-list__who").all_inner_texts()
    assert all("Year 9" in text for text in page.locator(".onroll-list__who").all_inner_texts())
    page.locator(".onroll-list h2 a").first.click()
    holds(page)
    page.locator("#contact-on").fill(str(date.today() - timedelta(days=1)))
    page.get_by_label("What came of it").select_option("spoke_well")
    page.locator("#contact").get_by_role("button", name="Save").click()
    page.get_by_text("The contact was saved.").wait_for()
    for path in ("/clocks", "/transition", "/transition?by=to"):
        page.goto(at_size.url + path)
        holds(page)
    page.get_by_role("button", name="Sign out").click()
    enter(page, at_size.url, "lead")
    page.wait_for_url("**/work-list")
    page.goto(f"{at_size.url}/team")
    holds(page)
    page.get_by_role("button", name="Sign out").click()
    enter(page, at_size.url, "analyst")
    page.wait_for_url("**/model")
    holds(page)
    assert said == []
