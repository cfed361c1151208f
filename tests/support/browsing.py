"""Opening the pages in a browser, and checking that they are accessible."""

from axe_playwright_python.sync_playwright import Axe

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def go(page, site, path):
    """Open an address; `child` is the page of the first child of the list."""
    if path.startswith("child"):
        page.goto(f"{site.url}/work-list")
        link = page.locator(".onroll-list h2 a").first.get_attribute("href")
        path = link + path.removeprefix("child")
    page.goto(site.url + path)


def follow(page, control):
    """Click on a link or button that opens another page, and wait until that page is loaded.

    What reads at once (``count``, ``all_inner_texts``, ``title``, ``url``, ``evaluate``) does not wait by itself: on a busy
    machine it would read the page that is being left, or an empty one.
    """
    with page.expect_navigation():
        control.click()


def everything_open(page):
    """Open all details."""
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")


def holds(page):
    """Check a page with all details open: axe reports nothing, and a narrow window or larger text cuts nothing off."""
    page.set_viewport_size({"width": 1100, "height": 900})
    everything_open(page)
    violations = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    assert violations.violations_count == 0, f"{page.url}: {violations.generate_report()}"
    for width, bigger in ((320, "100%"), (640, "200%")):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(f"document.documentElement.style.fontSize = '{bigger}'") if bigger != "100%" else None
        wide = page.evaluate("document.scrollingElement.scrollWidth")
        assert wide <= width, f"{page.url} at {width} px and text of {bigger}: {wide} px"
    page.evaluate("document.documentElement.style.fontSize = ''")
    page.set_viewport_size({"width": 1100, "height": 900})
