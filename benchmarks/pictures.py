"""Take the pictures of docs/pages: each page in Debian's Chromium, from the real server, with the simulated authority of `make demo`.

Run it where `make demo` was run. Pages count days from today, so all processes run under a clock set to the newest Monday of the demo's records.
Lists of three weeks are stored, and a worker has recorded some actions.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.stepped_clock import SteppedClock
from histories.reading.histories import Histories
from serving.cli.demo import monday
from serving.cli.running import running
from serving.pages.settings import PageSettings
from serving.store import Caller, Store
from serving.store.cases import cases, doubts
from serving.store.scores import week_list
from serving.store.scores.chosen import Chosen
from serving.store.sign_in import staff
from training.release.resolve import resolve
from training.risk_model import RiskModel

OUT, RELEASES, HISTORIES = Path("docs/pages"), Path("mlruns/releases"), Path("demo/histories")
LISTS = (11, 1, 0)  # weeks before today
SCALE, COLOURS, TALLEST, MAX = 0.75, 32, 1700, 60_000  # of a picture; its bytes
USERS = {"dana": "worker", "robin": "worker", "lee": "lead", "sam": "analyst"}
ADDRESSES = {
    "work-list": "dana",
    "clocks": "dana",
    "transition": "dana",
    "about": "dana",
    "team": "lee",
    "model": "sam",
}
NARROW, WIDE, SHEET = {"width": 320, "height": 640}, {"width": 1000, "height": 700}, {"width": 794, "height": 1123}


@cache
def today() -> date:
    """Return the newest Monday of the demo's records."""
    return monday(Histories.open(HISTORIES).last_known())


def fill(home: Path) -> None:
    """Store lists, and actions for the top children."""
    opened, pages = Histories.open(HISTORIES), PageSettings.load(None)
    model, store = RiskModel.load(resolve("onroll@champion", RELEASES)), Store(f"sqlite:///{home / 'onroll.db'}")
    for weeks in LISTS:
        scores = model.score(opened, today() - timedelta(weeks=weeks))
        store.save(s.to_dict() for s in scores)
        store.keep(opened, scores, pages.rules(), pages.calendar.closed)
    authority, urns = scores[0].authority, sorted({s.urn for s in scores})
    users = [f'{name} = {{role = "{role}", authority = "{authority}"}}' for name, role in USERS.items()]
    areas = f"[localities]\nHarbour = {urns[::2]}\nHill = {urns[1::2]}\n"
    (home / "access.toml").write_text(areas + "[development]\n" + "\n".join(users))
    (home / "pages.toml").write_text('experiments = "http://127.0.0.1:5000"\n')
    dana = Caller("dev:dana", "worker", authority)
    with store.view(dana) as view:
        refs = [c.pupil_ref for c in week_list.week(view, Chosen(), 5, today()).children]
    with store.change(dana) as change:
        staff.remember(change, "dana")
        named = [cases.open_case(change, ref) for ref in refs]
        for case in named[:3]:
            cases.assign(change, case, 1, dana.key_id)
        cases.contact(
            change=change,
            case_id=named[0],
            version=2,
            on=today() - timedelta(days=4),
            outcome="no_answer",
            text="Rang at nine and at four.",
        )
        cases.act(change, named[0], 3, today() - timedelta(days=3), "school_meeting")
        cases.contact(change, named[1], 2, today() - timedelta(days=5), "spoke_well")
        doubts.doubt(
            change=change,
            case_id=named[2],
            version=2,
            table="attendance",
            on=today() - timedelta(days=6),
            reason="not_so",
            text="The school has a letter from the dentist.",
        )
        cases.dismiss(change, named[3], 1, "known_plan")
        cases.snooze(change, named[4], 1, today() + timedelta(days=14))
    store.engine.dispose()


def keep(page: Page, name: str) -> None:
    """Write the top of a page as a small enough picture."""
    image = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    for height in range(min(image.height, TALLEST), 0, -50):
        out = io.BytesIO()
        cut = image.crop((0, 0, image.width, height)).quantize(COLOURS, dither=Image.Dither.NONE)
        cut.save(out, "png", optimize=True)
        if out.tell() <= MAX:
            break
    (OUT / f"{name}.png").write_bytes(out.getvalue())
    print(f"{name:20} {image.width} x {height} of {image.height}  {out.tell():,} bytes")


def take(page: Page, url: str) -> None:
    """Take a picture of each page, of two pages in a narrow window, and of the printed list."""
    page.set_viewport_size(WIDE)
    for name, user in ADDRESSES.items():
        page.context.clear_cookies()
        page.goto(f"{url}/sign-in")
        keep(page, "sign-in")
        page.get_by_label(user, exact=True).check()
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Sign out").wait_for()
        page.goto(f"{url}/{name}")
        keep(page, name)
        if name == "work-list":
            page.set_viewport_size(NARROW)
            keep(page, "work-list-narrow")
            page.set_viewport_size(SHEET)
            page.emulate_media(media="print")
            keep(page, "work-list-print")
            page.emulate_media(media="screen")
            page.locator(".onroll-list h2 a").first.click()
            for size, picture in ((WIDE, "pupil"), (NARROW, "pupil-narrow")):
                page.set_viewport_size(size)
                keep(page, picture)
            page.set_viewport_size(WIDE)


def main() -> None:
    """Restart under the set clock, fill a store, serve it and take every picture."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if "STEPPED_CLOCK" not in os.environ:
            clock = SteppedClock(home)
            clock.step(int((datetime.combine(today(), time(8, 40)) - datetime.now()).total_seconds()))
            again = [sys.executable, "-m", "benchmarks.pictures"]
            raise SystemExit(subprocess.call(again, env={**os.environ, **clock.environment}))
        shutil.copytree(RELEASES, home / RELEASES)
        fill(home)
        # The store is a new one, whose audit names no move of the alias yet: the service would serve no model.
        words = ["models", "accept", "--by", "benchmarks.pictures", "--reason", "Copied to take pictures."]
        subprocess.run([str(Path(sys.executable).with_name("onroll")), *words], cwd=home, check=True)
        environment = {
            "ONROLL_ACCESS": str(home / "access.toml"),
            "ONROLL_PAGES": str(home / "pages.toml"),
            "ONROLL_DEVELOPMENT": "1",
        }
        with running(home / "service.log", home, environment) as url, sync_playwright() as browsers:
            browser = browsers.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            take(browser.new_page(device_scale_factor=SCALE), url)
            browser.close()


if __name__ == "__main__":
    main()
