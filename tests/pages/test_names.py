"""Names on the pages of the real server, in the browser: for a user with the right, accessible, printed, and in no title, address or log."""

import time

import httpx2
import pytest

from tests.support.browsing import go, holds
from tests.support.forms import submit
from tests.support.named_children import written_in

PATHS = ("/work-list", "child", "/clocks", "/no-roll", "/transition")


@pytest.mark.parametrize("path", PATHS)
def test_pages_with_names_pass_axe_and_fit_a_narrow_window(site, signed_in, path):
    page = signed_in("named")
    go(page, site, path)
    assert "O'Canary" in page.inner_text("main")
    assert "Canary" not in page.title() + page.url
    holds(page)


def test_a_child_is_found_by_name_upn_and_reference(site, signed_in):
    page = signed_in("named")
    name = page.locator(".onroll-list h2 a").first.inner_text()
    reference = name.split()[-1]
    for typed in (name.upper().replace("'", "").replace("Ë", "e"), reference):
        page.goto(f"{site.url}/work-list")
        page.get_by_label("Name, UPN or local reference").fill(typed)
        page.get_by_role("button", name="Find", exact=True).click()
        page.wait_for_url("**/pupils/*")
        assert page.inner_text("h1") == name
    page.goto(f"{site.url}/work-list")
    page.get_by_label("Name, UPN or local reference").fill("canary")
    page.get_by_role("button", name="Find", exact=True).click()
    page.wait_for_url("**/work-list/find")
    assert page.get_by_role("heading", name=f"Found: {len(site.scores):,} children").is_visible()
    assert page.get_by_text("The first 20 are shown.").is_visible()
    holds(page)


def test_the_printed_list_has_the_names_of_the_right_alone(site, signed_in):
    page = signed_in("named")
    page.emulate_media(media="print")
    assert page.inner_text("main").count("O'Canary") == 8
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Sign out").click()
    page = signed_in("lead")
    page.emulate_media(media="print")
    assert "Canary" not in page.inner_text("main")


def test_no_line_of_the_servers_log_holds_a_name(site):
    with httpx2.Client(base_url=site.url) as client:
        submit(client, "/sign-in", "/sign-in", user="named")
        for path in ("/work-list", "/work-list.csv", "/clocks", "/no-roll", "/transition"):
            assert "Canary" in client.get(path).text, path
        for typed, status in (("canary", 200), ("Zoë O'Canary nobody", 422)):
            answer = submit(client, "/about", "/work-list/find", reference=typed)
            assert answer.status_code == status
    deadline = time.monotonic() + 20
    while '"status": 422' not in (log := site.log.read_text()):
        assert time.monotonic() < deadline, "the service did not log what was asked"
    assert '"/work-list/find"' in log
    assert written_in(log) == set()
    assert "canary" not in log.lower()
