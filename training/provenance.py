"""The recipe of a model: all of its inputs, by content or hash, so that it can be reproduced or the missing inputs named."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from features import CohortRule, Definition
from features.catalogue import catalogue
from histories.io.account import account
from histories.io.digest import file_digest
from histories.reading.histories import Histories
from training.fitting.helped import AS_THEY_CAME
from training.task import Task

ROOT = Path(__file__).parents[1]
ROOMS = ("histories", "features", "training")  # the rooms whose code affects a model
CODE = (".py", ".toml", ".csv", ".json", ".sql")
PACKAGES = ("duckdb", "lightgbm", "narwhals", "numpy", "optuna", "polars", "pyarrow", "scikit-learn", "scipy")


def recipe(
    histories: Histories,
    task: Task,
    *,
    config: Mapping[str, Any],
    released: Mapping[str, Any],
    seed: int,
    memory: str | None,
    trials: int,
    blas_threads: int | None,
    parts: bool = False,
    helped: Mapping[str, int | str],
) -> dict[str, Any]:
    """Return the JSON-ready recipe of a model in training.

    Parameters
    ----------
    config, released : mapping
        The booster's settings after tuning, and those of the chosen candidate.
    parts : bool
        Whether it learned from windows that were known only in part (``fitting.partial_windows``).
    helped : mapping
        What its outcomes had seen of help (``fitting.helped.HelpCounts``).

    Returns
    -------
    dict
        ``question``, ``config``, ``released``, ``parts``, ``helped``, ``seed``, ``trials``, ``memory``, ``blas_threads``, ``engine``; ``histories``, ``catalogue``, ``own_features``,
        ``code`` and ``lock``, each a SHA-256; ``packages``, ``python``, ``machine``; ``trained_by``.
    """
    return {
        "question": {
            "definition": asdict(task.definition),
            "horizon": task.horizon,
            "as_of": [str(d) for d in task.as_of],
            "rule": asdict(task.rule) if task.rule else None,
            "until": text_of(task.until),
            "known": text_of(task.known_on),
            "helped": task.helped,
        },
        "config": dict(config),
        "released": dict(released),
        "parts": parts,
        "helped": dict(helped),
        "seed": seed,
        "trials": trials,
        "memory": memory,
        "blas_threads": blas_threads,
        "histories": histories.digest(),
        "trained_by": account(),
        **made_with(histories.engine),
    }


def made_with(engine: str) -> dict[str, Any]:
    """Return the current environment: catalogue, own features, code, lock file, packages, Python and machine."""
    return {
        "engine": engine,
        "catalogue": catalogue().digest,
        "own_features": catalogue().own_features.digest,
        "code": code_digest(),
        "lock": lock_digest(),
        "packages": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def task_of(stored: Mapping[str, Any]) -> Task:
    """Return the task of a recipe.

    Raises
    ------
    KeyError, TypeError, ValueError
        If the recipe is incomplete.
    """
    question = stored["question"]
    definition: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in question["definition"].items()}
    return Task(
        definition=Definition(**definition),
        horizon=question["horizon"],
        as_of=tuple(date.fromisoformat(d) for d in question["as_of"]),
        rule=CohortRule(**{**question["rule"], "phases": tuple(question["rule"]["phases"])})
        if question["rule"]
        else None,
        until=_day(question["until"]),
        known_on=_day(question["known"]),
        helped=question.get("helped", AS_THEY_CAME),  # earlier versions of onroll knew no other way
    )


@cache
def code_digest() -> str:
    """Return the hash of every source and data file of these rooms."""
    whole = hashlib.sha256()
    for room in ROOMS:
        for file in sorted(f for f in (ROOT / room).rglob("*") if f.suffix in CODE and f.is_file()):
            whole.update(f"{file.relative_to(ROOT)}:{file_digest(file)}\n".encode())
    return whole.hexdigest()


def lock_digest() -> str | None:
    """Return the hash of the lock file; None if onroll was installed without it."""
    file = ROOT / "requirements.lock"
    return file_digest(file) if file.is_file() else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def text_of(day: date | None) -> str | None:
    """Return a day as text, or None."""
    return str(day) if day else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
