"""The whole pipeline in one command on a simulated authority: from histories to explained scores over HTTP."""

from __future__ import annotations

import shutil
import sysconfig
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from features import load_own_features
from histories.calendar import london_today
from histories.errors import Fault, Usage
from histories.io.terminal import progress, say
from histories.population.simulation import EARLIEST, simulate
from histories.reading.histories import Histories
from histories.settings import Settings, settings
from histories.tables import HAPPENED, TABLES
from serving.cli import demo_year
from serving.cli.running import running
from serving.client import Client
from serving.http.schemas import ModelCard, ScoresAnswer, WorklistAnswer
from serving.pages.settings import PageSettings
from serving.scoring.parquet import write_scores
from serving.store import Store
from serving.store.audit.model_log import record
from training.release.promotion import promote
from training.release.resolve import aliases, find_release
from training.risk_model import RiskModel
from training.task import Task
from training.workflow import MODEL, train_and_register

SHOWN = 5
MIN = 2500  # with fewer pupils, too few go missing to calibrate and evaluate a model


def run(pupils: int, folder: Path, today: date) -> tuple[dict[str, Any], str]:
    """Simulate, check, train, register, score, monitor, serve, call the service and stop it.

    The model is trained on what was known at the beginning of the last school year, as if it had served since: lists of two terms lie behind it,
    whose outcomes are known and which it has not learnt from.

    Parameters
    ----------
    pupils : int
    folder : Path
    today : date
        The last day of the records; the newest Monday until then is scored. The same day gives the same children.

    Returns
    -------
    dict, str
        The service's answers, and the top of the work-list as text.

    Raises
    ------
    Usage
        If there are too few pupils to train on, or the day is too early or in the future.
    """
    if pupils < MIN:
        do = f"Ask for {MIN:,} or more; the default is 12,000."
        what = f"of {pupils:,} pupils, too few go missing to calibrate and evaluate a model"
        raise Usage(Fault(what, "demo --pupils", do))
    if not EARLIEST <= today <= london_today():
        do = f"Use a day from {EARLIEST} to {london_today()}."
        raise Usage(Fault("the day is out of range", "demo --today", do))
    current = settings()
    load_own_features(current.features)
    opened = population(pupils, folder, today)
    task = Task(until=demo_year.serving_since(today))
    model = _train(current, opened, folder / "histories", task)
    day, store = monday(today), Store.of(current)
    _serve_for_a_year(opened, model, task, day, store)
    scores = _score(current=current, opened=opened, model=model, day=day, folder=folder, store=store)
    authority = scores[0].authority
    _evaluate(current, opened, day, authority=authority, folder=folder, store=store)
    key_id, key = store.create_key("lead", authority, holder="demo")
    try:
        say("[7/8] starting the service")
        with running(folder / "service.log", Path.cwd()) as url:
            say(f"[8/8] requesting the work-list and a score of posted rows from {url}")
            with Client(url, key) as client:
                worklist = client.worklist_page(limit=SHOWN)
                live = client.score(rows_of(opened, [worklist.scores[0].pupil_id]), day)
                card = client.model()
    finally:
        store.revoke(key_id)
    answers = {"worklist": worklist, "score": live, "model": card}
    return {k: a.model_dump(mode="json") for k, a in answers.items()}, _text(worklist, live, card, day)


def monday(today: date) -> date:
    """Return the newest Monday until a day.

    Examples
    --------
    >>> [monday(date(2026, 11, day)).isoformat() for day in (29, 30)]
    ['2026-11-23', '2026-11-30']
    """
    return today - timedelta(days=today.weekday())


def population(pupils: int, folder: Path, today: date) -> Histories:
    """Simulate, check and open the demo's histories."""
    say(f"[1/8] simulating an authority with {pupils:,} pupils until {today} (no real child is in it)")
    home = folder / "histories"
    shutil.rmtree(home, ignore_errors=True)
    start = time.perf_counter()
    with progress("simulating the population") as advance:
        rows = simulate(home, pupils=pupils, years=6, seed=7, last_day=today, advance=advance)
    say(f"      {sum(rows.values()):,} rows in {time.perf_counter() - start:.0f} s, in {home}")
    from histories.checks.check import check

    say("[2/8] checking the histories")
    opened = Histories.open(home, memory=settings().memory)
    report = check(opened)
    say(f"      {report.summary}")
    return opened


def _train(current: Settings, opened: Histories, location: Path, task: Task) -> RiskModel:
    say(f"[3/8] training on the start of each term until {task.until} ({task.definition.title.lower()})")
    start = time.perf_counter()
    with progress("training") as advance:
        registration = train_and_register(current, opened, location, task, advance=advance)
    record(current, MODEL, registration.line)
    trained, version = registration.trained, registration.version
    say("      " + trained.splits.text().replace("\n", "\n      "))
    for name, f in trained.judged.items():
        low, high = f["intervals"]["average_precision"]
        say(f"      {name:10} average precision {f['average_precision']:.3f} (95% interval {low:.3f} to {high:.3f})")
    say(f"      {time.perf_counter() - start:.0f} s; registered in MLflow as version {version}")
    if not registration.first:
        outcome = promote(current, MODEL, version, who="demo", why="the demo serves what it has just trained")
        record(current, MODEL, outcome)
        for verdict in outcome["gates"]:
            if not verdict["passed"]:
                say(f"      {verdict['code']} {verdict['title']}: {verdict['measured']}; required: {verdict['limit']}")
        say(
            f"      version {version} is {outcome['action']}; version {aliases(current.releases, MODEL)['champion']} serves"
        )
    release = find_release(current.model, current.releases, current.verify_keys)
    return RiskModel.load(release.folder, release.bundle)


def _serve_for_a_year(opened: Histories, model: RiskModel, task: Task, day: date, store: Store) -> None:
    days = [*demo_year.earlier_lists(opened, task), day - demo_year.BETWEEN]
    say(f"[4/8] storing the lists of {', '.join(map(str, days))}, each from what was known then")
    per_week = PageSettings.load(settings().pages).per_week
    demo_year.store_earlier_lists(opened, model, days, store, per_week=per_week)


def _evaluate(current: Settings, opened: Histories, day: date, *, authority: str, folder: Path, store: Store) -> None:
    say("[6/8] holding earlier lists beside what came, and planning a trial")
    plan = demo_year.plan_of(day, authority, folder, store)
    for line in demo_year.summary_lines(demo_year.evaluate_lists(current, opened, store)):
        say(f"      {line}")
    say(f"      registered the trial {plan.of.name}: {plan.file}")


def _score(
    current: Settings, opened: Histories, model: RiskModel, day: date, folder: Path, store: Store
) -> Sequence[Any]:
    say(f"[5/8] scoring every pupil on a roll as of {day}")
    with progress("scoring") as advance:
        scores = model.score(opened, day, advance=advance)
    out, pages = folder / "scores.parquet", PageSettings.load(current.pages)
    write_scores(scores, out)
    stored = store.save(scores, per_week=pages.per_week)
    say(f"      {len(scores):,} explained scores in {out}, {stored:,} in the store")
    store.keep(opened, scores, pages.rules(), pages.calendar.closed)
    return scores


def rows_of(histories: Histories, pupil_ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of some pupils, and of all schools and areas, as JSON for ``/api/v1/score``."""
    import narwhals as nw
    import polars as pl

    from histories.reading.frames import collect

    tables = {}
    for name in sorted(histories.present):
        frame = histories.frame(name)
        if "pupil_id" in TABLES[name].columns:
            frame = frame.filter(nw.col("pupil_id").is_in(pupil_ids))
        dates = [c.name for c in TABLES[name].columns.values() if c.kind == "date"]
        rows = collect(frame.select(*TABLES[name].columns)).with_columns(
            pl.col(c).cast(pl.Date).cast(pl.String) for c in dates
        )
        order = [c for c in (HAPPENED.get(name), *TABLES[name].columns) if c in rows.columns]
        tables[name] = rows.sort(order).to_dicts()
    return tables


def _text(worklist: WorklistAnswer, live: ScoresAnswer, card: ModelCard, day: date) -> str:
    lines = [
        f"\nThe work-list as of {day}: the {len(worklist.scores)} highest risks in the authority (simulated children)"
    ]
    for score in worklist.scores:
        year = "Reception" if score.nc_year == 0 else f"Year {score.nc_year}"
        head = f"\n {score.rank}. {score.pupil_id}, {year}, school {score.urn}: {score.band}."
        lines.append(f"{head} {score.chance}")
        for reason in score.reasons[:3]:
            lines.append(f"      {reason.theme}: {reason.sentence}")
            lines += [f"        {e['date']}  {e['text']}" for e in reason.evidence[:2]]
    if live.scores:
        alone = live.scores[0]
        lines.append(
            f"\nThe first child's rows alone, posted to /api/v1/score: risk {alone.risk:.3f} by version {alone.model_version}"
        )
        lines.append(
            "(without schoolmates' rows, features of the school are missing, so the risk can differ from the list)."
        )
    figures = card.metrics[card.candidate]["at_capacity"]["top_25_a_list"]
    lines.append(
        f"On the newest test dates, {figures['precision']:.0%} of the 25 highest risks per term went missing, "
        f"and they included {figures['recall']:.0%} of the children who went missing."
    )
    lines.append("A score is not a finding: it orders a list for people to review.\n")
    lines += ["Next:", *next_steps(Path(sysconfig.get_path("scripts")), Path.cwd())]
    return "\n".join(lines)


def next_steps(scripts: Path, here: Path) -> list[str]:
    """Return the commands that come next, so that they work as written from where the demo ran.

    Parameters
    ----------
    scripts : Path
        The folder of the environment's commands: that of a checkout (``.venv/bin``), or wherever the wheel was installed.
    here : Path

    Examples
    --------
    >>> next_steps(Path("/project/.venv/bin"), Path("/project"))[2]
    '  .venv/bin/onroll models show  shows the model card'
    """
    onroll, mlflow = (_typed(scripts / name, here) for name in ("onroll", "mlflow"))
    steps = {
        f"{onroll} keys create --role lead --authority 801 --holder NAME": "makes a key to sign in with",
        f"{onroll} serve --host 127.0.0.1 --port 3000": "runs the service and its pages",
        f"{onroll} models show": "shows the model card",
        f"{onroll} monitor demo/histories": "what earlier lists promised and what came (also /monitor)",
        f"{mlflow} ui --backend-store-uri sqlite:///mlruns/mlflow.db": "shows the runs in MLflow",
        f"{onroll} --help": "lists all verbs",
    }
    return [f"  {command}  {what}" for command, what in steps.items()]


def _typed(command: Path, here: Path) -> str:
    found = shutil.which(command.name)
    if found and Path(found).parent == command.parent:
        return command.name
    return str(command.relative_to(here) if command.is_relative_to(here) else command)
