"""What a list is good for: how many at its top went missing when the model was tested. The list and the lead's page both say this."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from serving.pages.context import PageContext
from training.explanation.chance import last_day


@dataclass(frozen=True, kw_only=True)
class Promise:
    """The tested figures for lists of about a team's length.

    Attributes
    ----------
    listed : int
        The tested length that is nearest to the team's capacity.
    precision, recall : float
    limits : tuple of float or None
        The 95% interval of the precision.
    until : date
        The last day of the time that the newest list is about.
    """

    listed: int
    precision: float
    recall: float
    limits: tuple[float, float] | None
    until: date


def promise_of(context: PageContext, newest: tuple[date, str] | None, most: int) -> Promise | None:
    """Return the promise of the newest list; None if its model is not loaded or was not tested on lists.

    Parameters
    ----------
    context : PageContext
    newest : tuple of date and str, optional
        Day and model version of the list.
    most : int
        The team's capacity.
    """
    if newest is None:
        return None
    models = (model.model() for model in (context.champion, context.challenger))
    manifest = next((m.manifest for m in models if m and m.manifest.version == newest[1]), None)
    return of_manifest(manifest, newest[0], most) if manifest else None


def of_manifest(manifest: Any, as_of: date, most: int) -> Promise | None:
    """Return the promise of a model for a list of a day; None if it was not tested on lists."""
    figures = manifest.metrics.get(manifest.candidate, {})
    lengths = [int(name.split("_")[1]) for name in figures.get("at_capacity", {}) if name.endswith("_a_list")]
    if not lengths:
        return None
    nearest = min(lengths, key=lambda n: abs(n - most))
    name = f"top_{nearest}_a_list"
    at = figures["at_capacity"][name]
    limits = figures.get("intervals", {}).get(f"{name}.precision")
    return Promise(
        listed=nearest,
        precision=at["precision"],
        recall=at["recall"],
        limits=tuple(limits) if limits and limits[0] is not None else None,
        until=last_day(as_of, manifest.horizon_days),
    )
