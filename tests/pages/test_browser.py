"""The pages in Debian's Chromium against the real server: axe, keyboard, reflow, larger text, print, and no script anywhere."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.support.browsing import TAGS, everything_open, follow, go, holds

PATHS = {
    "worker": [
        "/sessions",
        "/work-list?sort=school",
        "/work-list?show=mine",
        "/work-list?show=aside",
        "/work-list?year=9",
        "child",
        "child?record=0-0",
        "/clocks",
        "/no-roll",
        "/transition",
        "/about",
        "/accessibility",
        "/nowhere",
    ],
    "lead": ["/team", "/work-list", "/monitor"],
    "analyst": ["/model", "/monitor"],
    "administrator": ["/staff", "/audit"],
}


@pytest.mark.parametrize("user", PATHS)
def test_axe_finds_no_fault_and_nothing_overflows_a_narrow_window(site, signed_in, user):
    page = signed_in(user)
    titles = set()
    for path in PATHS[user]:
        if path == "/nowhere":
            continue
        go(page, site, path)
        holds(page)
        titles.add(page.title())
    assert len(titles) >= len({p.partition("?")[0] for p in PATHS[user]} - {"/nowhere"})


def test_the_sign_in_page_and_a_page_of_errors_pass_axe(site, page):
    page.goto(f"{site.url}/sign-in")
    follow(page, page.get_by_role("button", name="Sign in"))
    assert page.title().startswith("Error: ")
    assert page.evaluate("document.activeElement.className").startswith("govuk-error-summary")
    violations = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    assert violations.violations_count == 0, violations.generate_report()


def tab_to(page, text, most=80):
    for _ in range(most):
        page.keyboard.press("Tab")
        name = page.evaluate("(document.activeElement.innerText || document.activeElement.id || '').trim()")
        if re.search(text, name):
            return
    raise AssertionError(f"the keyboard does not reach {text}")


def test_a_contact_is_recorded_by_keyboard_alone_without_scripts(site, browser):
    context = browser.new_context(java_script_enabled=True)
    context.route("**/*.js", lambda route: route.abort())
    page = context.new_page()
    page.goto(f"{site.url}/sign-in")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to main content"
    page.keyboard.press("Enter")
    tab_to(page, "^user$")
    page.keyboard.press("Space")
    tab_to(page, "^Sign in$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/work-list")
    tab_to(page, r"^P\d+$")
    page.keyboard.press("Enter")
    page.wait_for_url("**/pupils/*")
    tab_to(page, "^Record a contact$")
    page.keyboard.press("Enter")
    tab_to(page, "^contact-outcome|Choose one")
    page.keyboard.type("No answer")
    tab_to(page, "^contact-text$")
    page.keyboard.type("by keyboard alone")
    tab_to(page, "^Save$")
    page.keyboard.press("Enter")
    page.wait_for_url("**?done=contact")
    assert page.get_by_text("The contact was saved.").is_visible()
    assert page.get_by_text("by keyboard alone").is_visible()
    context.close()


def test_everything_works_without_scripts(site, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/sign-in")
    page.get_by_label("second", exact=True).check()
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("Choose or sort").click()
    page.get_by_label("Sort by").select_option("Year group")
    follow(page, page.get_by_role("button", name="Show"))
    assert "sort=year" in page.url
    follow(page, page.locator(".onroll-list h2 a").first)
    page.get_by_text("Write a note").click()
    page.get_by_label("Note for whoever comes next").fill("without scripts")
    page.locator("#note").get_by_role("button", name="Save").click()
    page.get_by_text("without scripts").wait_for()
    page.locator("summary", has_text="The last year as a table").click()
    assert page.get_by_role("columnheader", name="Missed sessions").is_visible()
    context.close()


def test_a_worker_chooses_whom_the_list_shows(site, signed_in):
    page = signed_in("worker")
    assert page.locator(".onroll-list__item").count() == 8
    page.locator("summary", has_text="Choose or sort").click()
    page.get_by_label("Year group").select_option("9")
    follow(page, page.get_by_role("button", name="Show"))
    shown = page.locator(".onroll-list__who").all_inner_texts()
    assert shown
    assert all("Year 9" in text for text in shown)


def test_after_signing_out_the_back_button_shows_no_child(site, signed_in):
    page = signed_in("worker")
    follow(page, page.locator(".onroll-list h2 a").first)
    child = page.locator("h1").inner_text()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in?ended")
    for _ in range(2):
        page.go_back()
        assert child not in page.content()
        assert "/sign-in" in page.url


def test_a_printed_list_has_the_children_and_not_the_menu(site, signed_in):
    page = signed_in("worker")
    page.emulate_media(media="print")
    assert page.locator(".onroll-list__item").first.is_visible()
    assert not page.get_by_role("navigation").first.is_visible()
    assert not page.get_by_text("as CSV").is_visible()
    assert page.get_by_text("A score is not a finding").last.is_visible()
    after = page.evaluate("getComputedStyle(document.querySelector('.onroll-list h2 a'), '::after').content")
    assert after == "none", "GOV.UK Frontend prints the address of a link, which is a child's reference"


@pytest.mark.parametrize("user", ["worker", "named"])
def test_eight_children_fit_one_screen_and_one_sheet_with_room_for_notes(site, signed_in, user):
    page = signed_in(user)
    page.set_viewport_size({"width": 1280, "height": 900})
    rows, sensitive = page.locator(".onroll-list__item"), page.get_by_text("Sensitive: about children")
    assert rows.count() == 8
    box = rows.last.bounding_box()
    assert box["y"] + box["height"] <= 900
    assert not sensitive.is_visible()
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == 1
    page.emulate_media(media="print")
    assert sensitive.is_visible()
    assert all(note.bounding_box()["height"] > 80 for note in page.locator(".onroll-list__notes").all())


LONG = {
    ".onroll-list__why > p": "Missed 35 of 38 sessions since 19 October 2026: 31 without permission, 2 ill and 2 with no reason yet. Missed over the last 12 weeks of "
    "school: 90%; over the 12 weeks before: 89%; usual for Year 7 here: 8%. Moved home on 23 April 2026. Early help since 31 August 2026.",
    ".onroll-list__case p": "Case: a colleague · Contact on 18 November 2026: Spoke to the family: the child is well and in education (a colleague) · Overdue since "
    "8 October 2026 The school must tell us of 10 school days missed without permission or with no reason yet",
}


def test_eight_children_with_much_to_say_fit_one_sheet(site, signed_in):
    page = signed_in("worker")
    for part, text in LONG.items():
        first = page.locator(".onroll-list__item").locator(part)
        assert first.count() >= 8, part
        page.evaluate(
            """([part, text]) => document.querySelectorAll(".onroll-list__item").forEach(
                row => row.querySelectorAll(part).forEach((p, n) => { p.textContent = n ? "" : text }))""",
            [part, text],
        )
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == 1


def test_a_contact_is_recorded_from_the_row_by_keyboard_alone(site, signed_in):
    page = signed_in("second")
    tab_to(page, "^Record a contact")
    page.keyboard.press("Enter")
    tab_to(page, "^contact-[0-9a-f]{32}-outcome$")
    page.keyboard.press("Space")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    assert page.get_by_label("No answer", exact=True).first.is_checked()
    tab_to(page, "^Save$")
    page.keyboard.press("Enter")
    page.wait_for_url("**done=contact#child-*")
    assert page.get_by_text(re.compile(r"Contact today at .*: No answer \(second\)")).first.is_visible()


def test_the_picture_and_its_table_agree(site, signed_in):
    page = signed_in("worker")
    follow(page, page.locator(".onroll-list h2 a").first)
    everything_open(page)
    missed = page.locator(".onroll-timeline__bars .onroll-missed").count()
    rows = page.locator("tbody tr").filter(has_text=re.compile(r"\d+ of \d+")).count()
    assert missed == rows > 0
    assert page.locator("svg text").count() == 0
    for svg in page.locator("svg:not([aria-hidden])").all():
        assert svg.get_attribute("aria-label")
    scores = page.locator("details", has_text="The scores as a table").locator("li")
    assert scores.count() == page.locator(".onroll-mark").count() == 2, "two lists are stored"
    months = [text for text in page.locator(".onroll-months").first.locator("span").all_inner_texts() if text]
    assert len(months) == 12
    assert page.get_by_text(re.compile(r"Usual for (Year \d+|Reception) here now: \d+ of 100 sessions")).is_visible()


def test_the_form_comes_first_on_a_phone_and_beside_the_score_on_a_desk(site, signed_in):
    page = signed_in("worker")
    follow(page, page.locator(".onroll-list h2 a").first)

    def top_left(selector):
        box = page.locator(selector).bounding_box()
        return box["x"], box["y"]

    page.set_viewport_size({"width": 320, "height": 640})
    assert top_left("#contact")[1] < top_left(".onroll-score")[1] < top_left(".onroll-log")[1]
    page.set_viewport_size({"width": 1280, "height": 900})
    assert top_left("#contact")[0] > top_left(".onroll-score")[0]
    assert top_left(".onroll-score")[1] < top_left("#contact")[1]


GAP = """([above, below]) => {
    const boxes = found => [...document.querySelectorAll(found)].map(e => e.getBoundingClientRect());
    const [first, second] = [boxes(above), boxes(below)];
    return Math.min(...first.map((box, n) => second[n].top - box.bottom));
}"""
DUE = '<ul class="govuk-list onroll-due" id="due"><li>{tags}</li></ul>'
TAG = '<span class="govuk-tag govuk-tag--red">Overdue since 27 November 2026</span> '


def test_overdue_days_stand_apart_and_no_label_of_a_picture_lies_on_the_text_below(site, signed_in):
    page = signed_in("worker")
    follow(page, page.locator(".onroll-list h2 a").first)
    page.evaluate("due => document.querySelector('h3').insertAdjacentHTML('afterend', due)", DUE.format(tags=TAG * 3))
    scale = ".onroll-chart:has(+ p) .onroll-chart__scale span:last-child"
    for width in (1000, 320):
        page.set_viewport_size({"width": width, "height": 900})
        for n in (1, 2):
            next_to = [f"#due .govuk-tag:nth-child({m})" for m in (n, n + 1)]
            assert page.evaluate(GAP, next_to) >= 4
        assert page.evaluate(GAP, [scale, ".onroll-chart:has(.onroll-chart__scale) + p"]) >= 8


def test_a_first_load_is_small(site, page):
    answers = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{site.url}/sign-in")
    page.get_by_label("worker", exact=True).check()
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/work-list")
    # Read from the network, since the browser discards the body of a page that was left.
    sizes = {a.url: a.request.sizes()["responseBodySize"] for a in answers if a.status == 200}
    assert any(url.endswith(".css") for url in sizes)
    assert sum(sizes.values()) <= 200_000
