"""Evidence for the gates: the comparison with the champion, fairness by group, and leakage."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from features.catalogue import catalogue
from features.counting.block_cache import BlockStore
from features.groups.grouping import grouped
from features.groups.groups import PROTECTED
from features.leakage.leaks import leaks
from histories.errors import Fault, Faults
from histories.reading.histories import Histories
from training.bundle import Manifest, bundle_digest, read_bundle, read_recipe
from training.catalogue_match import changed_since
from training.evaluation.extended import CAPACITY
from training.evaluation.fairness import fairness
from training.explanation.scorer import scorer_of
from training.fitting.candidates import boosted, learner
from training.fitting.helped import carried
from training.fitting.partial_windows import learned_before
from training.fitting.rolling_origin import lead_of, learn_from, matrix_of, precision_of, weight_of
from training.fitting.splits import Splits, known_before, split
from training.measures import calibration
from training.measures.evaluate import Judged, Resamples, judge
from training.measures.metrics import numbers
from training.pipeline import Trained, finite
from training.provenance import task_of
from training.task import ProgressCallback, Task, quiet

LEAK_PUPILS = 1000


@dataclass(frozen=True)
class Contender:
    """A version to compare with another.

    Attributes
    ----------
    booster : str
    manifest : Manifest
    recipe : dict
    bundle : str
        The digest of its bundle.
    """

    booster: str
    manifest: Manifest
    recipe: dict[str, Any]
    bundle: str

    @classmethod
    def load(cls, folder: Path) -> Contender:
        """Read a released version; raises ``Faults`` if it is damaged."""
        return cls(*read_bundle(folder), read_recipe(folder), bundle_digest(folder))

    @property
    def newest(self) -> date:
        """The newest training date."""
        return date.fromisoformat(self.manifest.trained_on[-1])


@dataclass(frozen=True)
class Evaluated:
    """A version's predictions for the test dates, made before the outcomes were known.

    Attributes
    ----------
    frame : polars.DataFrame
        The snapshots, day by day.
    margins, risk : float arrays, shape (rows,)
    how : dict of str
        By day: ``released`` (the version itself; an adopted one learned from no local day), or ``anew`` (retrained by its recipe from what was
        known then).
    """

    frame: pl.DataFrame
    margins: np.ndarray
    risk: np.ndarray
    how: dict[str, str]


def at_origins(trained: Trained) -> Evaluated:
    """Return a newly trained version's predictions at its origins."""
    rows, name = np.flatnonzero(trained.predictions.judged), trained.manifest.candidate
    frame = trained.predictions.frame[rows]
    how = {str(d): "released" if trained.manifest.parent else "anew" for d in trained.splits.test}
    return Evaluated(frame, trained.predictions.margins[name][rows], trained.predictions.risk(name)[rows], how)


def evaluate_again(
    version: Contender, frame: pl.DataFrame, splits: Splits, seed: int, alike: tuple[Contender, Evaluated] | None = None
) -> Evaluated:
    """Predict the test dates: with the version itself after its training dates, and retrained by its recipe before.

    A version's figures on its own training dates would be too good.

    Parameters
    ----------
    alike : tuple of Contender and Evaluated, optional
        Another version's predictions, reused if both retrain by the same recipe.
    """
    m = version.manifest
    names = [n for n in m.features if n in frame.columns]
    whole = not changed_since(m)
    settings = version.recipe.get("released", boosted.DEFAULTS)
    parts, margins, how = [], [], {}
    for o in (o for o in splits.origins if o.judged):
        ahead = frame.filter(pl.col("as_of") == o.day)
        parts.append(ahead)
        if whole and (m.parent or o.day > version.newest):
            how[str(o.day)] = "released"
            margins.append(scorer_of(version.booster, m).margins(matrix_of(ahead, names)))
            continue
        how[str(o.day)] = "anew"
        if alike and alike[1].how[str(o.day)] == "anew" and _same_recipe(version, alike[0], settings):
            margins.append(alike[1].margins[(alike[1].frame["as_of"] == o.day).to_numpy()])
        else:
            # Recipes of earlier versions name no parts: those models learned from whole windows only.
            learned = learned_before if version.recipe.get("parts") else known_before
            past = learn_from(learned(frame, o.day), names, seed)
            margins.append(learner(m.candidate, settings)(past)(matrix_of(ahead, names)))
    both = np.concatenate(margins)
    return Evaluated(pl.concat(parts), both, calibration.risk(both, m.calibrator["a"], m.calibrator["b"]), how)


def _same_recipe(one: Contender, other: Contender, settings: dict[str, Any]) -> bool:
    same_kind = one.manifest.parts == other.manifest.parts
    same_rows = bool(one.recipe.get("parts")) == bool(other.recipe.get("parts"))
    same_features = one.manifest.features == other.manifest.features
    return same_kind and same_rows and same_features and other.recipe.get("released") == settings


def compare_paired(version: Evaluated, other: Evaluated, seed: int) -> dict[str, Any]:
    """Return one version's lead over another on the same snapshots, with intervals over the same resamples of pupils."""
    frame = version.frame
    label, weight = frame["label"].to_numpy(), weight_of(frame)
    pupil, lists = numbers(frame, "pupil_id"), numbers(frame, "authority", "as_of")
    resamples = Resamples(pupil, seed)
    (figures, draws), (theirs, their_draws) = (
        judge(Judged(score=a.margins, label=label, pupil=pupil, list_of=lists, weight=weight), None, resamples)
        for a in (version, other)
    )
    return {
        "snapshots": figures["snapshots"],
        "positives": figures["positives"],
        "how": {"own": version.how, "champion": other.how},
        "average_precision": lead_of(
            figures["average_precision"] - theirs["average_precision"],
            draws["average_precision"] - their_draws["average_precision"],
        ),
        "precision_top_25_a_list": lead_of(
            precision_of(figures) - precision_of(theirs),
            draws["top_25_a_list.precision"] - their_draws["top_25_a_list.precision"],
        ),
    }


def gate_evidence(
    histories: Histories,
    evaluated: Evaluated,
    groups: pl.DataFrame,
    against: dict[str, Any] | None,
    leak_proof: dict[str, Any],
    *,
    helped: Mapping[str, Any],
    seed: int,
) -> dict[str, Any]:
    """Return the gates' evidence beyond the bundle as JSON-ready data; it contains no pupil.

    Parameters
    ----------
    evaluated : Evaluated
        The version's predictions on the test dates.
    groups : polars.DataFrame
        The groups of children on the test dates; see ``groups_on``.
    against : dict or None
        The comparison with the champion; see ``compare_with_champion``.
    leak_proof : dict
        The test for leakage; see ``prove_no_leaks``.
    helped : mapping
        What the outcomes had seen of help (``fitting.helped.HelpCounts``), and ``way``, in which it was handled.
    """
    return finite(
        {
            "judged_on": [str(d) for d in sorted(evaluated.frame["as_of"].unique().to_list())],
            "histories": histories.digest(),
            "champion": against,
            "groups": by_group(evaluated, groups, seed),
            "leaks": leak_proof,
            "helped": dict(helped),
        }
    )


def groups_on(histories: Histories, task: Task, days: list[date], advance: ProgressCallback = quiet) -> pl.DataFrame:
    """Return the protected groups of the children of the test dates."""
    advance(description="groups of children")
    return pl.DataFrame(grouped(histories, days, task.rule, PROTECTED))


def by_group(evaluated: Evaluated, groups: pl.DataFrame, seed: int) -> dict[str, Any]:
    """Return the fairness report of a version's predictions, and the groups that the histories do not tell."""
    frame = evaluated.frame
    label, weight = frame["label"].to_numpy(), weight_of(frame)
    report = fairness(frame, evaluated.risk, label, groups, CAPACITY, weight=weight, pairs=False, seed=seed).to_dict()
    del report["pairs"]
    return {**report, "left_out": [g for g in PROTECTED if g not in groups.columns]}


def prove_no_leaks(histories: Histories, day: date, seed: int, advance: ProgressCallback = quiet) -> dict[str, Any]:
    """Test that no feature sees the future of a day; record the histories and features tested."""
    advance(description="whether a feature sees the future")
    leak_proof = leaks(histories, day, pupils=LEAK_PUPILS, seed=seed, engine="polars").to_dict()
    return {**leak_proof, "data_digest": histories.digest(), "catalogue_digest": catalogue().digest}


def compare_with_champion(
    version: Contender,
    evaluated: Evaluated,
    champion: Contender,
    frame: pl.DataFrame,
    splits: Splits,
    seed: int,
    *,
    groups: pl.DataFrame | None = None,
) -> dict[str, Any]:
    """Compare a version with the champion on the test dates; see ``compare_paired``. With groups, also report the champion by group."""
    theirs = evaluate_again(champion, frame, splits, seed, (version, evaluated))
    return {
        "version": int(champion.manifest.version),
        "bundle": champion.bundle,
        **compare_paired(evaluated, theirs, seed),
        **({} if groups is None else {"groups": by_group(theirs, groups, seed)}),
    }


def evidence_of_training(
    histories: Histories,
    task: Task,
    trained: Trained,
    champion: Path | None,
    seed: int,
    advance: ProgressCallback = quiet,
) -> dict[str, Any]:
    """Return the evidence of a newly trained version; ``champion`` is a released folder."""
    evaluated, against = at_origins(trained), None
    groups = groups_on(histories, task, list(trained.splits.test), advance)
    if champion:
        advance(description="the champion on the same snapshots")
        version = Contender(trained.booster, trained.manifest, trained.recipe, "")
        with suppress(Faults):  # a damaged champion cannot be compared; the gate reports it
            against = compare_with_champion(
                version=version,
                evaluated=evaluated,
                champion=Contender.load(champion),
                frame=trained.frame,
                splits=trained.splits,
                seed=seed,
                groups=groups,
            )
    leak_proof = prove_no_leaks(histories, max(trained.splits.test), seed, advance)
    return gate_evidence(
        histories=histories,
        evaluated=evaluated,
        groups=groups,
        against=against,
        leak_proof=leak_proof,
        helped={"way": task.helped, **trained.recipe["helped"]},
        seed=seed,
    )


def evidence_of_version(
    histories: Histories,
    folder: Path,
    champion: Path | None,
    before: dict[str, Any],
    *,
    helped: str | None = None,
    memory: str | None = None,
    kept: BlockStore | None = None,
    advance: ProgressCallback = quiet,
) -> dict[str, Any]:
    """Return the evidence of a released version on histories with more known outcomes.

    Parameters
    ----------
    before : dict
        The earlier evidence; leakage is tested only on the version's training histories.
    helped : str, optional
        How outcomes that help changed are handled (``fitting.helped``); by default as the version learnt.

    Raises
    ------
    Faults
        If a version is damaged, or its recipe is incomplete.
    """
    version = Contender.load(folder)
    try:
        task = task_of(version.recipe)
    except (KeyError, TypeError, ValueError) as error:
        do = "Retrain with this version of onroll, which writes recipes."
        raise Faults(Fault("the model has no complete recipe", str(folder), do)) from error
    task = replace(task, helped=carried(task.helped) if helped is None else helped)
    seed = version.manifest.seed
    labels, counts = task.with_counts(histories, task.as_they_came().labels(histories))
    frame = task.labelled(histories, labels, memory=memory, seed=seed, kept=kept, advance=advance)
    splits = split(frame)
    groups = groups_on(histories, task, list(splits.test), advance)
    advance(description="both versions on the same snapshots")
    evaluated = evaluate_again(version, frame, splits, seed)
    against = (
        compare_with_champion(
            version=version,
            evaluated=evaluated,
            champion=Contender.load(champion),
            frame=frame,
            splits=splits,
            seed=seed,
            groups=groups,
        )
        if champion
        else None
    )
    same = histories.digest() == version.manifest.data_digest
    leak_proof = prove_no_leaks(histories, max(splits.test), seed, advance) if same else before.get("leaks", {})
    return gate_evidence(
        histories=histories,
        evaluated=evaluated,
        groups=groups,
        against=against,
        leak_proof=leak_proof,
        helped={"way": task.helped, **counts.to_dict()},
        seed=seed,
    )
