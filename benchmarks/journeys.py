"""What staff do on the pages, in Debian's Chromium: clicks, seconds, keyboard alone, no scripts, axe and narrow windows.

``python -m benchmarks.journeys HISTORIES [--model NAME]``, for example after ``onroll simulate HISTORIES --pupils 20000 --last-day TODAY``
and ``onroll train HISTORIES``. Lists of the two newest Mondays are stored. Seconds are those of pages and browser, for hands that never wait.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright

from benchmarks.hands import Hands
from benchmarks.rounds import machine
from histories.calendar import london_today
from histories.reading.histories import Histories
from serving.cli.demo import monday
from serving.cli.running import running
from serving.monitoring import stored
from serving.pages.settings import PageSettings
from serving.store import Store
from serving.store.caller import command_line
from serving.store.people import details
from serving.store.people.cipher import Cipher
from tests.support.browsing import holds
from tests.support.named_children import write_key
from tests.support.reported import report
from training.release.resolve import resolve
from training.risk_model import RiskModel

EIGHT = 8  # children whom a team rings first
SPOKE = "Spoke to the family: they want help"
USERS = {"worker": "worker", "named": "worker", "lead": "lead", "analyst": "analyst", "administrator": "administrator"}


@dataclass(frozen=True)
class Journey:
    """A way through the pages; it begins on the user's first page, signed in.

    Attributes
    ----------
    user : str
        Of ``USERS``.
    go : callable
        Goes the way with ``Hands``.
    """

    name: str
    user: str
    go: Callable[[Hands], None]


def menu(hands: Hands, name: str) -> None:
    """Go to a page of the menu."""
    hands.follow(hands.page.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True))


def record_in_row(hands: Hands, n: int, outcome: str = SPOKE) -> None:
    """Record a contact from a row of the list."""
    row = hands.page.locator(".onroll-list__item").nth(n)
    hands.press(row.locator("summary", has_text="Record a contact"))
    hands.pick(row, outcome)
    hands.follow(row.get_by_role("button", name="Save"))


def ring_eight(hands: Hands) -> None:
    """Ring the first eight, and write down each from the list."""
    for n in range(EIGHT):
        record_in_row(hands, n)
    assert hands.page.locator(".onroll-list__item--done").count() >= EIGHT


def ring_eight_by_their_pages(hands: Hands) -> None:
    """The same through each child's page: the only way that the first pages had."""
    for n in range(EIGHT):
        hands.follow(hands.page.locator(".onroll-list h2 a").nth(n))
        hands.press(hands.page.locator("#contact summary"))
        hands.choose(hands.page.locator("#contact-outcome"), SPOKE)
        hands.follow(hands.page.locator("#contact").get_by_role("button", name="Save"))
        hands.follow(hands.page.get_by_role("link", name="Back to the list"))


def find_by_name(hands: Hands) -> None:
    """Find a child by name, and open the page."""
    name = hands.page.locator(".onroll-list h2 a").nth(4).inner_text()
    hands.write(hands.page.get_by_label("Name, UPN or local reference"), name)
    hands.follow(hands.page.get_by_role("button", name="Find"))
    if "/pupils/" not in hands.page.url:
        hands.follow(hands.page.locator("#matches + ul a, #matches ~ ul a").first)
    assert name.split()[0] in hands.page.locator("h1").inner_text()


def see_to_a_duty(hands: Hands) -> None:
    """Say that the most urgent duty is done."""
    menu(hands, "What is due")
    first = hands.page.locator(".onroll-list__item").first
    hands.press(first.locator("summary"))
    hands.write(first.get_by_label("How was it done? Do not write names."), "The return came.")
    hands.follow(first.get_by_role("button", name="Save"))


def take_up_a_child_on_no_roll(hands: Hands) -> None:
    """Open a case for a child on no roll."""
    menu(hands, "On no roll")
    hands.follow(hands.page.get_by_role("button", name="Open a case").first)


def my_cases(hands: Hands) -> None:
    """See one's own cases."""
    hands.follow(hands.page.get_by_role("link", name="My cases"))


def doubt_a_record(hands: Hands) -> None:
    """Say from a child's page that a record is wrong."""
    hands.follow(hands.page.locator(".onroll-list h2 a").first)
    hands.press(hands.page.locator("#doubt summary"))
    hands.choose(hands.page.locator("#doubt-reason"), "It did not happen")
    hands.write(hands.page.locator("#doubt-text"), "The school has a letter of the dentist.")
    hands.follow(hands.page.locator("#doubt").get_by_role("button", name="Save"))


def give_eight_cases(hands: Hands) -> None:
    """Give the first eight to a worker."""
    for n in range(EIGHT):
        hands.press(hands.page.locator(".onroll-tick input").nth(n), "Space")
    hands.choose(hands.page.get_by_label("Give the ticked children to"), "worker")
    hands.follow(hands.page.get_by_role("button", name="Give the cases"))
    assert hands.page.get_by_text("The cases were given.").is_visible()


def look_at_the_team(hands: Hands) -> None:
    """See the team's page, and set its capacity."""
    menu(hands, "The team")
    hands.follow(hands.page.get_by_role("button", name="Save"))


def release_a_text(hands: Hands) -> None:
    """Read what a worker wrote, and let the data team read a text."""
    menu(hands, "The models")
    form = hands.page.locator("form[action$='/release']").first
    hands.write(form.locator("textarea"), "The school has a letter about that day.")
    hands.follow(form.get_by_role("button"))
    assert hands.page.get_by_text("The data team can read this now.").is_visible()


def trace_a_doubt(hands: Hands) -> None:
    """Open the child whose record is in doubt."""
    menu(hands, "The models")
    hands.follow(hands.page.get_by_role("link", name="Open the child with this record").first)


def look_at_the_model(hands: Hands) -> None:
    """See the models' figures as tables."""
    tables = hands.page.locator("summary", has_text="As a table")
    for n in range(tables.count()):
        hands.press(tables.nth(n))


def look_at_the_monitor(hands: Hands) -> None:
    """See what lists promised and what came."""
    menu(hands, "Promises")


def answer_a_doubt(hands: Hands) -> None:
    """Answer a doubt about a record."""
    form = hands.page.locator("form[action^='/faults/']").first
    hands.write(form.locator("textarea"), "The school mends it.")
    hands.follow(form.get_by_role("button", name="Send the answer"))


def look_at_accounts(hands: Hands) -> None:
    """See who may see what."""
    menu(hands, "Accounts")


def look_at_the_audit(hands: Hands) -> None:
    """See what was seen and done."""
    menu(hands, "Audit")


def end_other_sessions(hands: Hands) -> None:
    """Sign out everywhere else."""
    hands.follow(hands.page.get_by_role("link", name="Where you are signed in"))
    others = hands.page.get_by_role("button", name="Sign out everywhere else")
    if others.count():
        hands.follow(others)


JOURNEYS = (
    Journey("ring the first eight, from the list", "worker", ring_eight),
    Journey("the same, through each child's page (before)", "worker", ring_eight_by_their_pages),
    Journey("record a contact from the row", "worker", lambda hands: record_in_row(hands, 0, "No answer")),
    Journey("find a child by name", "named", find_by_name),
    Journey("say that a duty is done", "worker", see_to_a_duty),
    Journey("take up a child on no roll", "worker", take_up_a_child_on_no_roll),
    Journey("my cases", "worker", my_cases),
    Journey("say that a record is wrong", "worker", doubt_a_record),
    Journey("give eight cases to a worker", "lead", give_eight_cases),
    Journey("the team, and its capacity", "lead", look_at_the_team),
    Journey("release a text", "lead", release_a_text),
    Journey("trace a doubt to the child", "lead", trace_a_doubt),
    Journey("the model, and its figures as tables", "analyst", look_at_the_model),
    Journey("promises and what came", "analyst", look_at_the_monitor),
    Journey("answer a doubt", "analyst", answer_a_doubt),
    Journey("who may see what", "administrator", look_at_accounts),
    Journey("what was seen and done", "administrator", look_at_the_audit),
    Journey("sign out elsewhere", "administrator", end_other_sessions),
)


@contextmanager
def signed_in(browser: Browser, url: str, user: str, *, scripts: bool = True) -> Iterator[Page]:
    """Yield a page on which a made-up user is signed in."""
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.goto(f"{url}/sign-in")
    page.get_by_label(user, exact=True).check()
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()


def travel(browser: Browser, url: str, journey: Journey, *, keyboard: bool = False, scripts: bool = True) -> Hands:
    """Go one way with new hands, and return them."""
    with signed_in(browser, url, journey.user, scripts=scripts) as page:
        hands = Hands(page, keyboard=keyboard)
        hands.visited.append(page.url)
        journey.go(hands)
    return hands


def faults(browser: Browser, url: str, user: str, addresses: set[str]) -> list[str]:
    """Return what axe finds, and what a narrow window or larger text cuts off, on pages of a user with all details open."""
    found = []
    with signed_in(browser, url, user) as page:
        for address in sorted(addresses):
            page.goto(address)
            try:
                holds(page)
            except AssertionError as fault:
                found.append(str(fault)[:500])
    return found


def fill(home: Path, histories: Path, model: RiskModel) -> None:
    """Store the lists of the two newest Mondays, names, and a report of the monitor."""
    opened, pages, store = Histories.open(histories), PageSettings.load(None), Store(f"sqlite:///{home / 'onroll.db'}")
    for weeks in (1, 0):
        scores = model.score(opened, monday(london_today()) - timedelta(weeks=weeks))
        store.save(s.to_dict() for s in scores)
        store.keep(opened, scores, pages.rules(), pages.calendar.closed)
    authority = scores[0].authority
    with store.change(command_line()) as change:
        details.save(change, Cipher([b"k" * 64]), {s.pupil_id: {"name": f"Made-up {s.pupil_id}"} for s in scores})
        stored.keep(change, report(authorities=(authority, "999")))
    store.engine.dispose()
    lines = [f'{u} = {{role = "{role}", authority = "{authority}"}}' for u, role in USERS.items()]
    text = "\n".join(["[development]", *lines]).replace('"}', '", names = true}')
    (home / "access.toml").write_text(text)


def main() -> None:
    """Print a table of all journeys, and the faults of the pages that they lead to."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("histories", type=Path)
    arguments.add_argument("--model", default="onroll@champion")
    arguments.add_argument("--releases", type=Path, default=Path("mlruns/releases"))
    given = arguments.parse_args()
    folder = resolve(given.model, given.releases)
    print(machine())
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as keys:
        home = Path(name)
        fill(home, given.histories, RiskModel.load(folder))
        environment = {
            "ONROLL_MODEL": str(folder.resolve()),
            "ONROLL_ACCESS": str(home / "access.toml"),
            "ONROLL_DEVELOPMENT": "1",
            "ONROLL_PEOPLE_KEY_FILE": str(write_key(Path(keys))),
            "PYTHONPATH": str(Path.cwd()),
        }
        with running(home / "service.log", home, environment) as url, sync_playwright() as browsers:
            browser = browsers.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            measure(browser, url)
            browser.close()


def measure(browser: Browser, url: str) -> None:
    """Print the table."""
    print("| journey | who | clicks | seconds | keys, by keyboard alone | without scripts |\n|---|---|---|---|---|---|")
    addresses: dict[str, set[str]] = {}
    for journey in JOURNEYS:
        start = time.perf_counter()
        by_mouse = travel(browser, url, journey)
        seconds = time.perf_counter() - start
        addresses.setdefault(journey.user, set()).update(by_mouse.visited)
        keys = _tried(lambda j=journey: str(travel(browser, url, j, keyboard=True).keys))
        plain = _tried(lambda j=journey: travel(browser, url, j, scripts=False) and "works")
        print(f"| {journey.name} | {journey.user} | {by_mouse.clicks} | {seconds:.1f} | {keys} | {plain} |", flush=True)
    for user, visited in addresses.items():
        found = faults(browser, url, user, visited)
        print(f"{user}: {len(visited)} addresses, {len(found)} with a fault of axe, at 320 px or at 200% text")
        print("\n".join(found))


def _tried(go: Callable[[], str]) -> str:
    try:
        return go()
    except (Error, AssertionError) as fault:
        return f"fails: {str(fault).splitlines()[0]}"


if __name__ == "__main__":
    main()
