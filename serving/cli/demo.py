"""The main job in one command: a made-up authority from histories to explained scores over HTTP."""

from __future__ import annotations

import json
import shutil
import time
import urllib.request
from datetime import date
from pathlib import Path
from typing import Any

from features import Definition, default_as_of
from histories.errors import Fault, Usage
from histories.io.terminal import progress, say
from histories.population.simulation import simulate
from histories.reading.histories import Histories
from histories.settings import Settings, settings
from histories.tables import HAPPENED, TABLES
from serving.cli.running import running
from serving.pages.settings import PageSettings
from serving.pages.wording import Wording
from serving.scoring.parquet import write_scores
from serving.store import Store
from training.release.promotion import promote
from training.release.resolve import aliases, resolve
from training.risk_model import RiskModel
from training.workflow import train_and_register

SHOWN = 5
MIN = 2500  # children of the made-up authority of whom enough go missing to calibrate and judge a model


def run(pupils: int, folder: Path) -> tuple[dict[str, Any], str]:
    """Simulate, check, train, register, score, serve, ask over HTTP and stop.

    Returns
    -------
    dict, str
        The answers of the service, and the top of the work-list as text.

    Raises
    ------
    Usage
        When so few children are asked for that too few of them go missing to train on.
    """
    if pupils < MIN:
        do = f"Ask for {MIN:,} or more; without the option there are 12,000."
        what = f"of {pupils:,} children too few go missing to calibrate and judge a model"
        raise Usage(Fault(what, "demo --pupils", do))
    own = settings()
    opened = population(pupils, folder)
    model = _train(own, opened, folder / "histories")
    day, store = default_as_of(opened)[-1], Store.of(own)
    scores = _score(own=own, opened=opened, model=model, day=day, folder=folder, store=store)
    authority = scores[0].authority
    key_id, key = store.create_key("lead", authority)
    try:
        say("[5/6] starting the service")
        with running(folder / "service.log", Path.cwd()) as url:
            say(f"[6/6] asking the service at {url} for the work-list and for a score of posted rows")
            worklist = ask(f"{url}/api/v1/worklist", key, {"limit": SHOWN})
            top = worklist["scores"][0]["pupil_id"]
            live = ask(f"{url}/api/v1/score", key, {"as_of": day.isoformat(), "histories": rows_of(opened, [top])})
            card = ask(f"{url}/api/v1/model", key)
    finally:
        store.revoke(key_id)
    return {"worklist": worklist, "score": live, "model": card}, _text(worklist, live, card, day)


def population(pupils: int, folder: Path) -> Histories:
    """Make up the demo's histories, check and open them."""
    say(f"[1/6] making up an authority with {pupils:,} pupils (no real child is in it)")
    home = folder / "histories"
    shutil.rmtree(home, ignore_errors=True)
    began = time.perf_counter()
    with progress("made-up population") as advance:
        rows = simulate(home, pupils=pupils, years=5, seed=7, advance=advance)
    say(f"      {sum(rows.values()):,} rows in {time.perf_counter() - began:.0f} s, in {home}")
    from histories.checks.check import check

    say("[2/6] checking the histories")
    opened = Histories.open(home, memory=settings().memory)
    found = check(opened)
    say(f"      {found.summary}")
    return opened


def _train(own: Settings, opened: Histories, location: Path) -> RiskModel:
    say(f"[3/6] training on the start of each term ({Definition.load().title.lower()})")
    began = time.perf_counter()
    with progress("training") as advance:
        registration = train_and_register(own, opened, location, advance=advance)
    trained, version = registration.trained, registration.version
    say("      " + trained.splits.text().replace("\n", "\n      "))
    for name, f in trained.judged.items():
        low, high = f["intervals"]["average_precision"]
        say(f"      {name:10} average precision {f['average_precision']:.3f} (95% interval {low:.3f} to {high:.3f})")
    say(f"      {time.perf_counter() - began:.0f} s; registered in MLflow as version {version}")
    if not registration.first:
        said = promote(own, "onroll", version, who="demo", why="the demo serves what it has just trained")
        for verdict in said["gates"]:
            if not verdict["passed"]:
                say(f"      {verdict['code']} {verdict['title']}: {verdict['measured']}; asked: {verdict['limit']}")
        say(
            f"      version {version} is {said['action']}; version {aliases(own.releases, 'onroll')['champion']} serves"
        )
    return RiskModel.load(resolve(own.model, own.releases))


def _score(own: Settings, opened: Histories, model: RiskModel, day: date, folder: Path, store: Store) -> list[Any]:
    say(f"[4/6] scoring everybody on a roll as of {day}")
    with progress("scoring") as advance:
        scores = model.score(opened, day, advance=advance)
    out = folder / "scores.parquet"
    write_scores(scores, out)
    say(f"      {len(scores):,} explained scores in {out}, {store.save(s.to_dict() for s in scores):,} in the store")
    resolve(own.model, own.releases)
    pages = PageSettings.load(own.pages)
    store.keep(opened, scores, pages.rules(), pages.calendar.closed)
    return scores


def ask(url: str, key: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Call the service and return what it answers."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
        return json.load(answer)


def rows_of(histories: Histories, pupil_ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of some pupils, and all schools and areas, as the interface takes them."""
    import narwhals as nw
    import polars as pl

    from histories.reading.frames import collect

    sent = {}
    for name in sorted(histories.present):
        frame = histories.frame(name)
        if "pupil_id" in TABLES[name].columns:
            frame = frame.filter(nw.col("pupil_id").is_in(pupil_ids))
        dates = [c.name for c in TABLES[name].columns.values() if c.kind == "date"]
        rows = collect(frame.select(*TABLES[name].columns)).with_columns(
            pl.col(c).cast(pl.Date).cast(pl.String) for c in dates
        )
        order = [c for c in (HAPPENED.get(name), *TABLES[name].columns) if c in rows.columns]
        sent[name] = rows.sort(order).to_dicts()
    return sent


def _text(worklist: dict[str, Any], live: dict[str, Any], card: dict[str, Any], day: date) -> str:
    words = Wording.load("en")
    lines = [f"\nThe work-list as of {day}, {len(worklist['scores'])} highest of the authority (made-up children):"]
    for s in worklist["scores"]:
        year = "Reception" if s["nc_year"] == 0 else f"Year {s['nc_year']}"
        lines.append(
            f"\n {s['rank']}. {s['pupil_id']}, {year}, school {s['urn']}: {s['band']}. {words.about(s['one_in'])} like this went missing"
        )
        for r in s["reasons"][:3]:
            lines.append(f"      {r['theme']}: {r['sentence']}")
            lines += [f"        {e['date']}  {e['text']}" for e in r["evidence"][:2]]
    lone = live["scores"][0] if live["scores"] else None
    if lone:
        lines.append(
            f"\nThe first child's rows alone, posted to /api/v1/score: risk {lone['risk']:.3f}, by version {lone['model_version']}"
        )
        lines.append("(without schoolmates' rows the school's context is missing, so this can differ from the list).")
    found = card["metrics"][card["candidate"]]["at_capacity"]["top_25_a_list"]
    lines.append(
        f"On the newest dates that could be judged, {found['precision']:.0%} of the 25 highest a term went missing, and {found['recall']:.0%} of those who went missing were among them."
    )
    lines.append("A score is not a finding: it orders a list for people to look at.\n")
    lines += [
        "Where to look next:",
        "  make serve            keeps the service running on 127.0.0.1:3000; 'onroll keys create --role lead --authority 801' makes a key",
        "  make experiments      shows the runs in MLflow's pages",
        "  .venv/bin/onroll models show        the model's card",
        "  docs/features.md, docs/histories.md what goes in",
    ]
    return "\n".join(lines)
