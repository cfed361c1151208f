"""The pictures of the models' page: risks beside what came, lists of several lengths, features, and groups, each with its figures.

Pictures have no text: names and figures stand beside them, as in the timeline.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.sentences import unfilled
from training.bundle import Manifest
from training.papers.report_lists import merged
from training.risk_model import RiskModel

MAX_FEATURES = 15
SIDE = 200  # of the picture of risks, in the picture's units
GROUP_FIGURES = {
    "listing rate": "listing_rate",
    "recall": "recall",
}  # headings of the card's table, and names in the wording
SHARE = re.compile(r"(\d[\d.]*)% \((\d[\d.]*)% to (\d[\d.]*)%\)")
NUMBER_WORDS = {"(s)": "s", "(ren)": "ren"}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A named share with its 95% interval, as drawn from 0 to ``most``."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """Predicted risks beside the shares that went missing, on a logarithmic scale from ``lowest`` to ``highest``.

    Attributes
    ----------
    points : list of dict
        ``told``, ``seen`` and ``children``, rounded; ``x`` and ``y`` from the upper left corner.
    """

    points: list[dict[str, float]]
    lowest: float
    highest: float
    side: int = SIDE


def reliability(figures: Mapping[str, Any]) -> Reliability | None:
    """Return the picture of risks and shares, small counts merged; None with fewer than two points."""
    points = merged(figures.get("reliability") or [])
    if len(points) < 2:
        return None
    values = [point[name] for point in points for name in ("told", "seen")]
    lowest = 10.0 ** math.floor(math.log10(min(values)))
    highest = min(10.0 ** math.ceil(math.log10(max(values))), 1.0)
    span = math.log(highest / lowest) or 1.0

    def place(value: float) -> float:
        return round(SIDE * math.log(value / lowest) / span, 1)

    drawn = [
        {
            "told": point["told"],
            "seen": point["seen"],
            "children": 5 * round(point["snapshots"] / 5),
            "x": place(point["told"]),
            "y": round(SIDE - place(point["seen"]), 1),
        }
        for point in points
    ]
    return Reliability(points=drawn, lowest=lowest, highest=highest)


def lists(figures: Mapping[str, Any]) -> dict[str, list[Figure]]:
    """Return precision and recall of tested lists by their length, shortest first; empty if none was tested."""
    at, intervals = figures.get("at_capacity", {}), figures.get("intervals", {})
    lengths = sorted(int(name.split("_")[1]) for name in at if name.endswith("_a_list"))
    return {
        what: [_figure(str(n), at[f"top_{n}_a_list"][what], intervals.get(f"top_{n}_a_list.{what}")) for n in lengths]
        for what in ("precision", "recall")
        if lengths
    }


def _figure(name: str, value: float, limits: Sequence[float | None] | None) -> Figure:
    low, high = limits if limits else (None, None)
    return Figure(name=name, value=value, low=low, high=high)


def important(model: RiskModel) -> list[Figure]:
    """Return the features on which most of the model rests, by plain names, with their shares."""
    names = {entry["name"]: plain_name(entry) for entry in model.manifest.catalogue}
    first = list(model.importance.items())[:MAX_FEATURES]
    return [Figure(name=names.get(name, name), value=share) for name, share in first]


def plain_name(entry: Mapping[str, Any]) -> str:
    """Return a feature's plain name: its sentence without values.

    Examples
    --------
    >>> plain_name({"name": "absent_rate_14d", "raises": "Missed {a:.0f} of {b:.0f} session(s) in two weeks ({c:portion})"})
    'Missed … of … sessions in two weeks'
    """
    sentence = unfilled(entry.get("raises") or "").replace(" (…)", "")
    for letters, plural in NUMBER_WORDS.items():
        sentence = sentence.replace(letters, plural)
    return sentence or str(entry["name"]).replace("_", " ")


def groups(folder: Path | None) -> dict[str, list[Figure]]:
    """Return who is listed, by group, from the card of a release; empty if its training made no report on groups.

    The card hides small counts, so a group whose figure it hides is not here.
    """
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8")) if folder else {}
    except (OSError, ValueError):
        return {}
    fields = [field for section in card.get("sections", ()) for field in section["fields"] if field["key"] == "groups"]
    table = next((field["value"] for field in fields if isinstance(field.get("value"), dict)), None)
    if table is None:
        return {}
    shown: dict[str, list[Figure]] = {name: [] for name in GROUP_FIGURES.values()}
    for row in table["rows"]:
        cells = dict(zip(table["headers"], row, strict=True))
        for heading, name in GROUP_FIGURES.items():
            match = SHARE.fullmatch(cells.get(heading, ""))
            if match:
                value, low, high = (float(share) / 100 for share in match.groups())
                shown[name].append(Figure(name=f"{cells['group']}: {cells['value']}", value=value, low=low, high=high))
    return {name: figures for name, figures in shown.items() if figures}


def all_figures(model: RiskModel, folder: Path | None) -> dict[str, Any]:
    """Return the pictures of one model, by the names that the template uses."""
    manifest: Manifest = model.manifest
    own = manifest.metrics.get(manifest.candidate, {})
    return {
        "reliability": reliability(own),
        "lists": lists(own),
        "important": important(model),
        "groups": groups(folder),
    }


def two_digits(number: float) -> str:
    """Write a number with two significant figures, and whole numbers of more digits whole.

    Examples
    --------
    >>> two_digits(0.05397), two_digits(1.0778), two_digits(0.5), two_digits(-0.000123), two_digits(134.6), two_digits(0.0)
    ('0.054', '1.1', '0.50', '-0.00012', '135', '0')
    """
    if not number or not math.isfinite(number):
        return f"{number:g}"
    decimals = 1 - math.floor(math.log10(abs(float(f"{number:.1e}"))))
    return f"{number:.{max(decimals, 0)}f}"
