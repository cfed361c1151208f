"""One server and one population for all tests of pages, and Debian's browser."""

import shutil
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from histories.calendar import london_today
from histories.population.simulation import simulate
from histories.reading.histories import Histories
from histories.settings import settings
from serving.casework.duty import Deadline
from serving.casework.leavers import Leaver
from serving.casework.no_roll import KINDS as NO_ROLL
from serving.casework.no_roll import OffRoll
from serving.casework.transitions import Transition
from serving.cli.running import running
from serving.http.api import make_app
from serving.monitoring import stored
from serving.pages.settings import PageSettings
from serving.store import Store
from serving.store.caller import command_line
from serving.store.cases import casework
from serving.store.people import details
from serving.store.people.cipher import Cipher
from serving.store.trials import checks
from tests.support.named_children import VALUES, write_key
from tests.support.reported import TRIAL, report
from tests.support.visitor import Visitor
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
named = {{role = "lead", authority = "{authority}", names = true}}
analyst = {{role = "analyst", authority = "{authority}"}}
administrator = {{role = "administrator", authority = "{authority}"}}
stranger = {{role = "worker", authority = "999"}}
"""


def fill(home: Path, histories: Path, bundle: Path) -> SimpleNamespace:
    """Store two weekly lists with their casework data, with duties and moves of every kind."""
    model, opened, pages = RiskModel.load(bundle), Histories.open(histories), PageSettings.load(None)
    store = Store(f"sqlite:///{home / 'onroll.db'}")
    for day in DAYS:
        scores = model.score(opened, day)
        store.save(s.to_dict() for s in scores)
        gathered = store.keep(opened, scores, pages.rules(), pages.calendar.closed)
    urns = sorted({s.urn for s in scores})
    for s, kind in zip(scores[-20:], pages.clocks, strict=False):
        due = (
            london_today() - timedelta(days=3)
            if kind in ("case_not_opened", "destination")
            else london_today() + timedelta(days=3)
        )
        gathered.deadlines.append(
            Deadline(pupil_id=s.pupil_id, kind=kind, urn=s.urn, started_on=due - timedelta(days=70), due_on=due)
        )
    for s, state in zip(scores[-40:], ("no_show", "no_show", "not_on_roll", "no_application", "offered"), strict=False):
        gathered.transitions.append(
            Transition(
                pupil_id=s.pupil_id,
                entry_year=2025,
                from_urn=s.urn,
                to_urn=urns[0],
                state=state,
                missed_days=3 if state == "no_show" else 0,
            )
        )
    for s, kind in zip(scores[-60:-50], (*NO_ROLL, *NO_ROLL), strict=False):
        gathered.off_roll.append(
            OffRoll(
                pupil_id=s.pupil_id,
                kind=kind,
                since=None if kind == "none" else DAYS[0],
                urn=s.urn,
                to_urn=urns[0] if kind == "expected" else None,
                authority=s.authority,
                nc_year=s.nc_year,
            )
        )
    _leave_for_another_authority(gathered, urns[0], scores[0].authority)
    with store.change(command_line()) as change:
        casework.keep(change, gathered, model.manifest.version)
    people = {s.pupil_id: {**VALUES, "name": f"{VALUES['name']} {s.pupil_id}"} for s in scores}
    with store.change(command_line()) as change:
        details.save(change, Cipher([b"k" * 64]), people)
    planned = {key: TRIAL[key] for key in ("name", "authority", "as_of", "children", "power")}
    with store.change(command_line()) as change:
        change.record("trial.planned", **planned)
    with store.change(command_line()) as change:
        frame = {
            "members": "",
            "pupils": [scores[-1].pupil_id],
            "sizes": [1],
            "excluded": {},
            "definition": "d",
            "horizon_days": 120,
            "model_version": "1",
        }
        checks.register(change, "checks", "d" * 64, authority=scores[0].authority, as_of=DAYS[1], **frame)
    with store.change(command_line()) as change:
        drawn = {"pupil_id": scores[-1].pupil_id, "authority": scores[0].authority, "as_of": DAYS[1]}
        day = london_today()
        row = {**drawn, "band": 0, "number": 0, "chance": 1.0}
        checks.store_drawn(change, "checks", [row], day=day, until=day + timedelta(weeks=6))
    with store.change(command_line()) as change:
        stored.keep(change, report(authorities=("801", "802")))
    north = ", ".join(f'"{u}"' for u in urns[: len(urns) // 2])
    (home / "access.toml").write_text(ACCESS.format(authority=scores[0].authority, north=north))
    return SimpleNamespace(
        store=store,
        authority=scores[0].authority,
        scores=scores,
        pupil_ids=frozenset(s.pupil_id for s in scores),
        urns=urns,
        north=set(urns[: len(urns) // 2]),
    )


def _leave_for_another_authority(gathered, urn, authority):
    """Add children who left a school of the authority and live in another."""
    for n in range(2):
        child = {"pupil_id": f"P999000{n}", "urn": urn, "authority": "998", "left_from": authority, "nc_year": 8}
        gathered.places.append(child)
        gathered.leavers.append(Leaver(**child, left_on=DAYS[0], left_to="unknown"))
        gathered.off_roll.append(OffRoll(**child, kind="left", since=DAYS[0], to_urn=None))
        gathered.deadlines += [
            Deadline(pupil_id=child["pupil_id"], kind=kind, urn=urn, started_on=DAYS[0], due_on=DAYS[1])
            for kind in ("home_not_told", "deletion_return")
        ]


@pytest.fixture(scope="session", params=["few", pytest.param(20_000, marks=pytest.mark.prove)])
def site(tmp_path_factory, small_histories, bundle, request):
    """A running service with two weeks' lists, of few pupils and of many: ``url``, and what ``fill`` returns."""
    home, histories = tmp_path_factory.mktemp("site"), small_histories
    if request.param != "few":
        histories = home / "histories"
        simulate(histories, pupils=request.param, years=1, seed=3)
    filled = fill(home, histories, bundle)
    key = write_key(tmp_path_factory.mktemp("keys"))
    filled.environment = {
        "ONROLL_MODEL": str(bundle),
        "ONROLL_ACCESS": str(home / "access.toml"),
        "ONROLL_DEVELOPMENT": "1",
        "ONROLL_PEOPLE_KEY_FILE": str(key),
        "ONROLL_PAGES": str(home / "pages.toml"),
        "PYTHONPATH": str(ROOT),
    }
    (home / "pages.toml").write_text('experiments = "http://127.0.0.1:5000/"\n')
    filled.home, filled.log = home, home / "service.log"
    with running(filled.log, home, filled.environment) as filled.url:
        yield filled


@pytest.fixture(scope="session")
def visit(site):
    """Visit the pages of the same population without the server, by a user's name."""
    with pytest.MonkeyPatch.context() as patch:
        for key, value in {**site.environment, "ONROLL_DATABASE_URL": f"sqlite:///{site.home / 'onroll.db'}"}.items():
            patch.setenv(key, value)
        app = make_app(settings(), "127.0.0.1")
    yield lambda user=None: Visitor(app, user)
    app.state.store.engine.dispose()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}


@pytest.fixture
def signed_in(site, page):
    """Sign a user in with the browser; any message on its console fails the test."""
    prompts = []
    page.on("console", lambda m: prompts.append(m.text) if m.type in ("error", "warning") else None)
    page.on("request", lambda request: prompts.append(request.url) if not request.url.startswith(site.url) else None)

    def sign_in(user):
        page.goto(f"{site.url}/sign-in")
        page.get_by_label(user, exact=True).check()
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/model" if user == "analyst" else "**/work-list")
        return page

    yield sign_in
    assert prompts == [], "the browser refused something, or asked another machine"
