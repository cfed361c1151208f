"""The pages on the real server with 100,000 stored scores: the weekly list, a child, the duties, the models, and the size of the first load.

The floor is a page that shows only the signed-in user. ONROLL_MODEL names the model, for example that of `make demo`; scores,
histories and duties are random.
"""

from __future__ import annotations

import http.client
import os
import re
import statistics
import tempfile
import time
import urllib.parse
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.rounds import machine
from benchmarks.store import LEAD, scores
from histories.settings import settings
from serving.casework import Gathered
from serving.casework.duty import Deadline
from serving.cli.running import running
from serving.store import Store
from serving.store.cases import casework
from training.release.resolve import resolve

LISTS, PUPILS, CALLS = 2, 50_000, 60
DAY = date(2025, 1, 13)
ACCESS = '[development]\nlead = {role = "lead", authority = "801"}\n[limits]\nper_second = 10000\nburst = 10000\n'


class Visitor:
    """A keep-alive connection with a session."""

    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self.cookie = ""
        token = re.search(r'name="csrf" value="(\w+)"', self.get("/sign-in")[0])
        assert token
        form = urllib.parse.urlencode({"csrf": token.group(1), "user": "lead"})
        self.ask("POST", "/sign-in", form)

    def ask(self, method: str, path: str, form: str | None = None) -> tuple[str, float]:
        """Return an answer's text and its milliseconds."""
        start = time.perf_counter()
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request(method, path, form, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status not in (200, 303):
            raise SystemExit(f"{path} answered {answer.status}")
        cookie = answer.headers.get("Set-Cookie")
        self.cookie = cookie.partition(";")[0] if cookie else self.cookie
        return text, (time.perf_counter() - start) * 1000

    def get(self, path: str) -> tuple[str, float]:
        """Return a page and its milliseconds."""
        return self.ask("GET", path)


def filled(url: str) -> Store:
    """Store two weekly lists, histories of the top children, and duties."""
    store = Store(url, b"a key for benchmarks, 32 letters!")
    listed = scores(PUPILS)
    for s in listed:
        s["reasons"] = [
            {**r, "theme": theme}
            for r, theme in zip(s["reasons"], ("Attendance", "Moves between schools", "Home and area"), strict=True)
        ]  # type: ignore[call-overload]
    for week in range(LISTS):
        day = (DAY - timedelta(weeks=LISTS - 1 - week)).isoformat()
        store.save([{**s, "as_of": day} for s in listed], LEAD)
    weeks = [[(DAY - timedelta(weeks=n)).isoformat(), 10, n % 4, n % 2] for n in range(52, 0, -1)]
    past = {"weeks": weeks, "events": [], "compared": [{"what": "missed", "now": 0.2, "before": 0.1, "peers": 0.05}]}
    gathered = Gathered(as_of=DAY, pupil_histories={str(s["pupil_id"]): past for s in listed[:300]})
    gathered.deadlines = [
        Deadline(
            pupil_id=str(s["pupil_id"]),
            kind="destination",
            urn=str(s["urn"]),
            started_on=DAY,
            due_on=DAY + timedelta(days=n % 30),
        )
        for n, s in enumerate(listed[:3000])
    ]
    with store.change(LEAD) as change:
        casework.keep(change, gathered, "1")
    return store


def processor_seconds() -> float:
    """Return the processor time so far of the processes that this one started; beside other work it tells more than the clock."""
    fields = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state = file.read_text().rpartition(")")[2].split()
            fields[int(file.parent.name)] = (int(state[1]), int(state[11]) + int(state[12]))
    ours = {os.getpid()}
    while more := {pid for pid, (parent, _) in fields.items() if parent in ours} - ours:
        ours |= more
    return sum(fields[pid][1] for pid in ours - {os.getpid()}) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print the figures."""
    print(machine())
    current = settings()
    model = str(resolve(current.model, current.releases))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        url = f"sqlite:///{home / 'onroll.db'}"
        filled(url).engine.dispose()
        (home / "access.toml").write_text(ACCESS)
        environment = {
            "ONROLL_MODEL": model,
            "ONROLL_DATABASE_URL": url,
            "ONROLL_AUDIT_KEY": "a key for benchmarks, 32 letters!",
            "ONROLL_ACCESS": str(home / "access.toml"),
            "ONROLL_DEVELOPMENT": "1",
            "PYTHONPATH": os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")]),
        }
        with running(home / "service.log", home, environment) as address:
            visitor = Visitor(address)
            listed, _ = visitor.get("/work-list")
            child = re.search(r'href="(/pupils/\w+)"', listed)
            assert child
            paths = {
                "a page without children (the floor)": "/about",
                "the weekly list": "/work-list",
                "the list filtered by a reason": "/work-list?theme=Home+and+area",
                "an empty list": "/work-list?theme=Attendance&year=11&school=none",
                "a child": child.group(1),
                "the duties": "/clocks",
                "the team": "/team",
                "the models": "/model",
            }
            floor = 0.0
            for name, path in paths.items():
                visitor.get(path)
                before = processor_seconds()
                ms = statistics.median([visitor.get(path)[1] for _ in range(CALLS)])
                work = (processor_seconds() - before) * 1000 / CALLS
                floor = floor or ms
                print(f"{name:40} {ms:7.1f} ms   {ms / floor:5.1f} times the floor   {work:6.1f} ms of processor")
            sheets = re.findall(r'href="(/assets/[^"]+)"', listed)
            loaded = len(listed.encode()) + sum(len(visitor.get(sheet)[0].encode()) for sheet in sheets)
            print(f"first load of the list: {loaded:,} bytes")


if __name__ == "__main__":
    main()
