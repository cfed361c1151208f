"""The verbs of serving: score, keys, serve and demo."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from histories.errors import Fault, Usage
from histories.io.terminal import ISO_DATE, engine_option, json_option, known_option, progress, result


@click.command()
@click.argument("histories", type=click.Path(), required=False)
@click.option("--as-of", "as_of", type=ISO_DATE, help="The day on which the question is asked.")
@click.option("--out", type=click.Path(), help="Parquet file to write; a folder of them with Spark.")
@click.option("--model", help="name@alias or a model folder; without it, the setting ONROLL_MODEL.")
@click.option("--cohort", type=click.Path(path_type=Path), help="TOML file with the rule of who is scored.")
@click.option("--top", type=click.IntRange(1), help="Only so many ranks of each authority.")
@known_option
@engine_option
@click.option("--store", is_flag=True, help="Also put the scores into the store that the service reads.")
@click.option(
    "--reproduce",
    metavar="SCORE_ID",
    help="Instead: make a stored score again, and exit 1 when it is not equal; without HISTORIES from those that the score was made from, "
    "if they are still there.",
)
@json_option
def score(
    histories: str | None,
    as_of: datetime | None,
    out: str | None,
    model: str | None,
    cohort: Path | None,
    top: int | None,
    known: datetime | None,
    engine: str | None,
    store: bool,
    reproduce: str | None,
    as_json: bool,
) -> None:
    """Score and explain the cohort of HISTORIES as of a day."""
    if reproduce is not None:
        if as_of or out or model or top or known or store:
            do = "Give HISTORIES and --cohort beside it at most: the score says the rest."
            raise Usage(Fault("a score is made again as it was made", "score --reproduce", do))
        _reproduce(reproduce, histories, cohort, as_json)
        return
    if histories is None or as_of is None or out is None:
        do = "onroll score HISTORIES --as-of 2025-09-08 --out S.parquet"
        raise Usage(Fault("HISTORIES, --as-of or --out is missing", "score", do))
    if known and store:
        do = "Leave --store out: the service shows what could be known on the day, not what was known later."
        raise Usage(Fault("scores of another day of knowledge are not stored", "score --known --store", do))
    from features import CohortRule
    from features.counting.block_cache import BlockStore
    from histories import location_cache
    from histories.reading.histories import Histories
    from histories.settings import settings
    from serving.pages.settings import PageSettings
    from serving.scoring.parquet import write_scores
    from serving.scoring.reproducing import used_for
    from serving.store import Store
    from training.release.resolve import resolve
    from training.risk_model import RiskModel

    own = settings()
    engine = engine or own.engine
    if engine == "spark" and store:
        do = "Leave --store out, or score with --engine duckdb: with Spark no row of a child comes to this machine."
        raise Usage(Fault("scores that Spark writes are not stored", "score --engine spark --store", do))
    folder = resolve(model or own.model, own.releases)
    loaded = RiskModel.load(folder)
    rule, day = CohortRule.load(cohort), known.date() if known else None
    opened = Histories.open(histories, engine=engine, memory=own.memory)
    with progress("scoring") as advance:
        stored = 0
        if engine == "spark":
            from serving.scoring.spark import score_in_spark

            number = score_in_spark(opened, folder, as_of.date(), out, rule=rule, known=day, top=top)
        else:
            kept = BlockStore(own.blocks)
            scores = loaded.score(opened, as_of.date(), rule=rule, known=day, kept=kept, top=top, advance=advance)
            advance(description="writing")
            write_scores(scores, Path(out))
            number = len(scores)
            if store and scores:
                advance(description="storing")
                kept_in, pages = Store.of(own), PageSettings.load(own.pages)
                stored = kept_in.save(s.to_dict() for s in scores)
                kept_in.keep(opened, scores, pages.rules(), pages.calendar.closed)
                m = loaded.manifest
                made = used_for(m.name, m.version, as_of.date().isoformat())
                location_cache.remember(own.whereabouts, opened.digest(), histories, made)
    data = {
        "scores": number,
        "stored": stored,
        "out": out,
        "model": loaded.manifest.name,
        "model_version": loaded.manifest.version,
    }
    result(
        data,
        as_json=as_json,
        text=f"{number:,} scores by version {loaded.manifest.version} written to {out}"
        + (f", {stored:,} stored" if store else ""),
    )


def _reproduce(score_id: str, histories: str | None, cohort: Path | None, as_json: bool) -> None:
    """Make a stored score again."""
    from features import CohortRule
    from histories.settings import settings
    from serving.scoring.reproducing import remake

    with progress("scoring") as advance:
        folder = Path(histories) if histories else None
        made = remake(settings(), score_id, folder, rule=CohortRule.load(cohort), advance=advance)
    result(made.to_dict(), as_json=as_json, text=made.text())
    if not made.equal:
        raise SystemExit(1)


@click.group()
def keys() -> None:
    """Make, list and revoke keys of the HTTP interface."""


@keys.command()
@click.option("--role", type=click.Choice(["worker", "lead", "analyst", "administrator"]), required=True)
@click.option("--authority", help="Number of the local authority.")
@click.option("--urn", "urns", multiple=True, help="Only these schools.")
@click.option("--expires", type=ISO_DATE, help="Last day of the key.")
@json_option
def create(role: str, authority: str | None, urns: tuple[str, ...], expires: datetime | None, as_json: bool) -> None:
    """Make a key and print it, this once."""
    from histories.settings import settings
    from serving.store import Store

    key_id, key = Store.of(settings()).create_key(role, authority, urns, expires.date() if expires else None)
    result({"key_id": key_id, "key": key}, as_json=as_json, text=key)


@keys.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the keys without their secrets."""
    from histories.settings import settings
    from serving.store import Store

    found = Store.of(settings()).list_keys()
    lines = [
        f"{k['key_id']}  {k['role']:13} {k['authority'] or 'all':5} {'revoked' if k['revoked'] else k['expires'] or 'no end'}"
        for k in found
    ]
    result(
        {"keys": found},
        as_json=as_json,
        text="\n".join(lines) or "no key yet: run 'onroll keys create --role worker --authority LA'",
    )


@keys.command()
@click.argument("key_id")
@json_option
def revoke(key_id: str, as_json: bool) -> None:
    """Revoke a key by its id."""
    from histories.settings import settings
    from serving.store import Store

    Store.of(settings()).revoke(key_id)
    result({"revoked": key_id}, as_json=as_json, text=f"{key_id} is revoked")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def serve(host: str, port: int) -> None:
    """Run the service with its interface until it is stopped."""
    from histories.settings import settings
    from serving.access.configuration import Configuration
    from serving.access.development import refuse_elsewhere
    from serving.cli.running import serve_command

    if Configuration.load(settings().access).development:
        refuse_elsewhere(host)
    os.environ.update({"BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true", "ONROLL_HOST": host})
    os.environ.setdefault("BENTOML_HOME", str(Path.cwd() / ".bentoml"))
    os.execv(sys.executable, serve_command(host, port))


@click.command()
@click.option(
    "--pupils", type=int, default=12000, show_default=True, help="Children of the made-up authority; 2,500 at least."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Where the histories go.",
)
@json_option
def demo(pupils: int, folder: Path, as_json: bool) -> None:
    """Run the main job from made-up histories to explained scores over HTTP."""
    from serving.cli.demo import run

    data, text = run(pupils, folder)
    result(data, as_json=as_json, text=text)


verbs: list[Any] = [score, keys, serve, demo]
