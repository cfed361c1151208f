"""The verb ``score``: score and explain a cohort, or reproduce a stored score."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from histories.errors import Fault, Faults, Usage
from histories.io.terminal import (
    ISO_DATE,
    engine_option,
    json_option,
    known_option,
    must_be_named_parquet,
    progress,
    result,
    warn,
)

if TYPE_CHECKING:
    from features import CohortRule
    from histories.reading.histories import Histories
    from histories.settings import Settings
    from training.explanation.score import Score
    from training.explanation.score_columns import Ranking
    from training.release.resolve import Release


@click.command()
@click.argument("histories", type=click.Path(), required=False)
@click.option("--as-of", "as_of", type=ISO_DATE, help="The day as of which to score.")
@click.option("--out", type=click.Path(), help="Parquet file to write; with Spark, a folder of Parquet files.")
@click.option("--model", help="name@alias or a model folder; defaults to the setting ONROLL_MODEL.")
@click.option("--cohort", type=click.Path(path_type=Path), help="TOML file that defines the cohort.")
@click.option(
    "--top", type=click.IntRange(1), help="Write only the first N ranks of each authority; --store stores everybody."
)
@click.option(
    "--within",
    type=click.IntRange(1),
    multiple=True,
    metavar="DAYS",
    help="Also write the risk within so many days, as a column risk_within_DAYS; repeat it for more.",
)
@known_option
@engine_option
@click.option(
    "--store",
    is_flag=True,
    help="Also save the scores to the store that the service reads. Teams see the list only of the version that ONROLL_MODEL names; any "
    "other's, such as onroll@challenger's, is for monitoring.",
)
@click.option(
    "--reproduce",
    metavar="SCORE_ID",
    help="Reproduce a stored score instead; exit 1 if it differs. Without HISTORIES, use the histories it was computed from "
    "if they are still on this machine.",
)
@json_option
def score(
    *,
    histories: str | None,
    as_of: datetime | None,
    out: str | None,
    model: str | None,
    cohort: Path | None,
    top: int | None,
    within: tuple[int, ...],
    known_on: datetime | None,
    engine: str | None,
    store: bool,
    reproduce: str | None,
    as_json: bool,
) -> None:
    """Score and explain the cohort of HISTORIES as of a day."""
    if reproduce is not None:
        if as_of or out or model or top or within or known_on or store:
            do = "Give only HISTORIES and --cohort with it; the stored score supplies the rest."
            raise Usage(Fault("a stored score is reproduced with its own options", "score --reproduce", do))
        _reproduce(reproduce, histories, cohort, as_json)
        return
    if histories is None or as_of is None or out is None:
        do = "onroll score HISTORIES --as-of 2025-09-08 --out S.parquet"
        raise Usage(Fault("HISTORIES, --as-of or --out is missing", "score", do))
    must_be_named_parquet(out)
    if known_on and store:
        do = "Leave out --store: the service shows only what was known on the as-of day."
        raise Usage(Fault("scores made with --known cannot be stored", "score --known --store", do))
    from features import CohortRule, load_own_features
    from features.counting.block_cache import kept_blocks
    from features.outcome.not_in_cohort import warnings_of_empty_days
    from histories.cli.opening import open_histories, warn_of_late_days
    from histories.settings import settings as read_settings
    from serving.scoring.horizons import must_know
    from serving.scoring.parquet import write_scores
    from serving.store.audit.model_log import check_release_where_audited
    from training.release.resolve import find_release
    from training.risk_model import RiskModel

    settings = read_settings()
    engine = engine or settings.engine
    if engine == "spark" and store:
        do = "Leave out --store, or score with --engine duckdb: with Spark no pupil's row reaches this machine."
        raise Usage(Fault("scores made on Spark cannot be stored", "score --engine spark --store", do))
    load_own_features(settings.features)
    release = find_release(model or settings.model, settings.releases, settings.verify_keys)
    check_release_where_audited(settings, release)
    purpose = purpose_of(settings, release) if store else ""
    risk_model, within = RiskModel.load(release.folder, release.bundle), tuple(dict.fromkeys(within))
    must_know(risk_model, within)
    rule, knowledge_day = CohortRule.load(cohort), known_on.date() if known_on else None
    opened = open_histories(histories, engine=engine)
    warn_of_late_days(opened, [as_of.date()])
    if store:
        _must_be_storable(settings, opened, (as_of.date(), risk_model.manifest.version), rule, purpose)
    stored = 0
    with progress("scoring") as advance:
        if engine == "spark":
            from serving.scoring.spark import score_in_spark

            count = score_in_spark(
                opened, release.folder, as_of.date(), out, rule=rule, known_on=knowledge_day, top=top, within=within
            )
        else:
            blocks = kept_blocks(settings)
            ranks = None if store else top  # the store's list is whole, whatever is written
            scores = risk_model.score(
                opened, as_of.date(), rule=rule, known_on=knowledge_day, kept=blocks, top=ranks, advance=advance
            )
            advance(description="writing")
            count = write_scores(scores, Path(out), top=top, model=risk_model, within=within)
            if store and scores:
                advance(description="storing")
                stored, ranking = _store(settings, scores, purpose)
                del scores  # casework takes memory of its own
                _keep(settings, opened, ranking, histories, model=risk_model.manifest.name, purpose=purpose)
    warn(warnings_of_empty_days([as_of.date()], [as_of.date()] if count else []))
    manifest = risk_model.manifest
    data = {"scores": count, "stored": stored, "out": out, "model": manifest.name, "model_version": manifest.version}
    data |= {"purpose": purpose} if store else {}
    text = f"{count:,} scores by version {manifest.version} written to {out}"
    seen = "; teams see this list" if purpose == "shown" else "; this list is for monitoring, teams do not see it"
    result(data, as_json=as_json, text=f"{text}, {stored:,} stored{seen}" if store else text)


def purpose_of(settings: Settings, release: Release) -> str:
    """Return what a list of a release is stored for: teams are shown those of the version that serves, and no other's.

    Raises
    ------
    Withdrawn
        When what ONROLL_MODEL names is a folder of a withdrawn version, and this is its list.
    """
    from serving.store.scores.stored_scores import SHADOW, SHOWN
    from training.release.resolve import must_not_be_withdrawn

    serving = _serving(settings)
    if serving is None or serving.bundle != release.bundle:
        return SHADOW
    must_not_be_withdrawn(serving, settings.releases)
    return SHOWN


def gathers_casework(settings: Settings, purpose: str) -> bool:
    """Return whether storing a list also stores deadlines, silent registers and the like, which are kept once.

    A list for monitoring only leaves alone those of the list that teams see. While no version serves, teams still have their cases and
    deadlines, and any list keeps them true.
    """
    from serving.store.scores.stored_scores import SHOWN

    return purpose == SHOWN or _serving(settings) is None


def _serving(settings: Settings) -> Release | None:
    """Return the release that serves; None if there is none."""
    from training.release.resolve import find_release

    try:
        return find_release(settings.model, settings.releases, settings.verify_keys)
    except Faults:
        return None


def _must_be_storable(
    settings: Settings, opened: Histories, made: tuple[date, str], rule: CohortRule, purpose: str
) -> None:
    """Raise what storing the lists of a day by a version would, before the many minutes of scoring."""
    from features.outcome.cohort import cohort
    from serving.store import Store

    authorities = cohort(opened, [made[0]], rule)["authority"].unique().to_pylist()
    Store.of(settings).must_be_storable([(authority, *made) for authority in authorities], purpose)


def _store(settings: Settings, scores: Sequence[Score], purpose: str) -> tuple[int, Ranking]:
    """Store the scores; return how many, and what is needed of them next."""
    from serving.pages.settings import PageSettings
    from serving.store import Store
    from training.explanation.score_columns import Ranking

    stored = Store.of(settings).save(scores, purpose=purpose, per_week=PageSettings.load(settings.pages).per_week)
    return stored, Ranking.of(scores)


def _keep(settings: Settings, opened: Histories, ranking: Ranking, place: str, *, model: str, purpose: str) -> None:
    """Store what casework needs, and note where the histories of the scores are, so that they can be reproduced."""
    from histories import location_cache
    from serving.pages.settings import PageSettings
    from serving.scoring.reproducing import used_for
    from serving.store import Store

    pages = PageSettings.load(settings.pages)
    if gathers_casework(settings, purpose):
        Store.of(settings).keep(opened, ranking, pages.rules(), pages.calendar.closed)
    used = used_for(model, ranking.model_version, ranking.as_of.isoformat())
    location_cache.remember(settings.whereabouts, opened.digest(), place, used)


def _reproduce(score_id: str, histories: str | None, cohort: Path | None, as_json: bool) -> None:
    from features import CohortRule, load_own_features
    from histories.settings import settings
    from serving.scoring.reproducing import reproduce

    current = settings()
    load_own_features(current.features)
    with progress("scoring") as advance:
        folder = Path(histories) if histories else None
        outcome = reproduce(current, score_id, folder, rule=CohortRule.load(cohort), advance=advance)
    result(outcome.to_dict(), as_json=as_json, text=outcome.text())
    if not outcome.equal:
        raise SystemExit(1)


verbs: list[Any] = [score]
