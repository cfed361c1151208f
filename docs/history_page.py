"""The page of how fast each commit was: a picture a figure from ``benchmarks/history.jsonl``, without scripts."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, MARGIN = 640, 120, 10
HEAD = """# Performance by commit

Each picture is one figure of `make bench` ([performance.md](performance.md)): how many times its floor it takes, a point a run, the newest on the right;
less is better. The dashed line is the goal. Runs on other machines are comparable only where the floor is work of the same run.
"""
NONE = "There is no run yet: `make bench` adds a line to `benchmarks/history.jsonl`.\n"


def history_page(history: Path) -> str:
    """Return the page in Markdown."""
    runs = [json.loads(line) for line in history.read_text("utf-8").splitlines()] if history.exists() else []
    figures: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        for ratio in run["ratios"]:
            figures.setdefault(ratio["name"], []).append({**ratio, "commit": run["commit"], "at": run["at"][:10]})
    return "\n".join([HEAD, *(_figure(name, points) for name, points in figures.items())] if figures else [HEAD, NONE])


def _figure(name: str, points: list[dict[str, Any]]) -> str:
    """Return the heading, the picture and the newest value of one figure."""
    newest, before = points[-1], [p["value"] for p in points[:-1]]
    text = f"{newest['value']:g} times {newest['floor']} at {newest['commit']}, {newest['at']}"
    if before:
        text += f"; before between {min(before):g} and {max(before):g}"
    if newest["goal"] is not None:
        text += f"; goal {newest['goal']:g}, {'met' if newest['value'] <= newest['goal'] else 'missed'}"
    return f"## {name}\n\n{_picture(name, points)}\n\n{text[0].upper()}{text[1:]}.\n"


def _picture(name: str, points: list[dict[str, Any]]) -> str:
    goal, values = points[-1]["goal"], [p["value"] for p in points]
    top = 1.1 * max([*values, goal or 0.0]) or 1.0

    def down(value: float) -> float:
        return round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * value / top, 1)

    step = (WIDTH - 2 * MARGIN) / max(len(points) - 1, 1)
    places = [(round(MARGIN + n * step, 1), down(value)) for n, value in enumerate(values)]
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="4" fill="currentColor"><title>{escape(p["commit"])}, {p["at"]}: {p["value"]:g}</title></circle>'
        for (x, y), p in zip(places, points, strict=True)
    )
    line = f'<polyline points="{" ".join(f"{x},{y}" for x, y in places)}" fill="none" stroke="currentColor"/>'
    of_goal = (
        ""
        if goal is None
        else (
            f'<line x1="0" x2="{WIDTH}" y1="{down(goal)}" y2="{down(goal)}" stroke="currentColor" stroke-dasharray="6 4"/>'
        )
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" role="img" aria-label="{escape(name)} by commit" '
        f'xmlns="http://www.w3.org/2000/svg">{of_goal}{line}{dots}</svg>'
    )
