"""Records for the register of children not in school on the pages: written by a worker, shown with their duty, and usable by everybody."""

import re
from datetime import timedelta

import pytest

from serving.pages import parts
from serving.pages.wording import Wording
from tests.support.browsing import everything_open, follow, holds
from tests.support.days import dated, from_today

DAY = Wording.load("en").day
MONTH = timedelta(days=30)  # what is recorded was a month ago, and its review is in a month
RECORDS = {
    "home_education": {"code": "parent"},
    "part_time": {"code": "agreed", "review": MONTH},
    "consent": {"code": "special_school"},
    "earlier_address": {"text": "1 Old Road"},
    "destination": {"code": "school"},
}


def child(client, n):
    return re.findall(r'href="(/pupils/[0-9a-f]{32})"', client.get("/work-list").text)[n]


def record(client, path, kind, **fields):
    version = re.search(r'name="version" value="(\d+)"', client.get(path).text).group(1)
    return client.submit(path, f"{path}/{kind}", version=version, **dated({"on": -MONTH, **fields}))


def duties(client, path):
    """Return what is due for one child."""
    rows = re.findall(r'<li class="onroll-list__item.*?</li>', client.get("/clocks").text, re.DOTALL)
    return "".join(row for row in rows if path in row)


def test_records_are_shown_with_their_state_their_duty_and_its_rule(visit, monkeypatch):
    monkeypatch.setattr(parts, "FIRST", 10_000)  # all duties on one page
    client = visit("worker")
    path, review = child(client, 6), from_today(30)
    assert 'id="records"' not in client.get(path).text
    for kind, fields in RECORDS.items():
        assert record(client, path, kind, **fields).headers["location"] == f"{path}?done={kind}"
    page = client.get(path).text
    table = re.search(r'id="records".*?</dl>', page, re.DOTALL).group()
    for text in (
        "A parent has told us",
        "Agreed: part of the time",
        "1 Old Road",
        f"Due {DAY(review)}",
        "Overdue since",
    ):
        assert text in table
    assert "Consent was asked for: the child is at a special school" in table
    due = duties(client, path)
    assert f"Due {DAY(review)}" in due
    assert "section 436B(5)" in due
    assert "own aim, not a rule of law: look at the teaching at home" in due
    assert "section 434A" not in due, "no duty runs by a rule that is not known to be in force"
    assert path not in visit("stranger").get("/clocks").text
    assert visit("stranger").get(path).status_code == 404
    reviewed = {"code": "reviewed", "review": timedelta(days=37), "on": timedelta(0)}
    assert record(client, path, "part_time", **reviewed).status_code == 303
    assert f"Due {DAY(review)}" not in duties(client, path)
    assert record(client, path, "part_time", code="ended", on=timedelta(0)).status_code == 303
    assert record(client, path, "home_education", code="on_register", on=timedelta(0)).status_code == 303
    table = re.search(r'id="records".*?</dl>', client.get(path).text, re.DOTALL).group()
    assert "Overdue" not in table
    assert "Due" not in table


def test_the_page_says_whether_a_destination_is_confirmed_before_a_name_is_taken_off(visit, monkeypatch):
    monkeypatch.setattr(parts, "FIRST", 10_000)  # all duties on one page
    client = visit("worker")
    rows = re.findall(r'<li class="onroll-list__item.*?</li>', client.get("/clocks").text, re.DOTALL)
    asked = next(row for row in rows if "Find out where the child has gone" in row)
    lost = re.search(r'href="(/pupils/[0-9a-f]{32})#enquiries"', asked).group(1)
    page = client.get(lost).text
    assert "It is not confirmed where the child goes." in page
    assert "The name stays on the roll" not in page, "this child is on no roll"
    absent = client.get(
        re.search(
            r'href="(/pupils/[0-9a-f]{32})(?:(?!</li>).)*20 school days missed', client.get("/clocks").text, re.DOTALL
        ).group(1)
    ).text
    assert "The name stays on the roll until it is, or until school and authority have both asked." in absent
    assert record(client, lost, "earlier_address", text="1 High Street").status_code == 303  # which opens a case
    unconfirmed = client.get("/clocks").text.count("It is not confirmed where the child goes.")
    assert record(client, lost, "destination", code="other_authority").status_code == 303
    page = client.get(lost).text
    assert (
        f"Where the child goes was confirmed on {DAY(from_today(-30))}: Another authority says where the child is taught."
        in page
    )
    assert client.get("/clocks").text.count("It is not confirmed where the child goes.") < unconfirmed
    assert record(client, lost, "destination", code="not_so").status_code == 303
    assert "It is not confirmed where the child goes." in client.get(lost).text
    assert client.get("/clocks").text.count("It is not confirmed where the child goes.") == unconfirmed


@pytest.mark.parametrize(
    ("kind", "fields", "wrong"),
    [
        ("home_education", {"code": "x"}, "code"),
        ("home_education", {"code": "parent", "on": "2999-01-01"}, "on"),
        ("earlier_address", {"on": "1999-01-01"}, "on"),
        ("part_time", {"code": "agreed"}, "review"),
        ("part_time", {"code": "agreed", "review": -MONTH}, "review"),
        ("earlier_address", {"text": " "}, "text"),
        ("destination", {"code": "school", "text": "x" * 5001}, "text"),
    ],
)
def test_a_wrong_record_is_refused_beside_its_field_and_kept_in_the_form(visit, kind, fields, wrong):
    client = visit("worker")
    path = child(client, 4)
    answer = record(client, path, kind, **{"text": "as written", **fields})
    assert answer.status_code == 422
    assert f'id="{kind}-{wrong}-error"' in answer.text
    assert ("not more than 19 years ago" in answer.text) == (wrong == "on")
    assert wrong == "text" or ">as written</textarea>" in answer.text


def test_a_record_is_written_by_keyboard_without_scripts_and_its_page_holds(site, browser, signed_in):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/sign-in")
    page.get_by_label("second", exact=True).check()
    page.get_by_role("button", name="Sign in").click()
    follow(page, page.locator(".onroll-list h2 a").nth(5))
    path = page.url
    page.locator("summary", has_text="Part-time education by agreement").focus()
    page.keyboard.press("Enter")
    form = page.locator("#part_time")
    form.get_by_label("What is it").focus()
    page.keyboard.type("Agreed")
    form.get_by_label("From which day").fill(str(from_today(-30)))
    form.get_by_label("Next review on").fill(str(from_today(30)))
    form.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    page.get_by_text("The record was saved.").wait_for()
    context.close()
    page = signed_in("worker")
    page.goto(path)
    everything_open(page)
    holds(page)
    page.emulate_media(media="print")
    assert page.locator("#records").is_visible()
    assert not page.locator("#part_time").is_visible()
