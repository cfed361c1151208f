"""What people did with the lists, as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.groups.disclosure import HIDDEN

COUNTS = {
    "seen": "page opened",
    "acted": "acted on",
    "set_aside": "set aside",
    "doubted": "doubted",
    "opened_below": "cases opened below the cut",
    "unseen": "acted on without opening the page",
}


def text_of(data: Mapping[str, Any]) -> str:
    """Return the JSON of ``Involvement`` as text."""
    lines = [
        f"authority {data['authority']}, {data['since']} until before {data['until']}: {data['lists']} lists, "
        f"{_count(data['shown'])} children at the top of one (the first {data['most']} of each)"
    ]
    if data["staff"] is None:
        lines.append("too few people or steps to show anything")
    else:
        lines += [f"all staff: {line_of(data['staff'])}", *_reasons(data["staff"])]
    for group in data["groups"]:
        name = ", ".join(filter(None, (group["authority"], group["locality"], group["role"])))
        lines.append(f"{name}: {line_of(group)}")
    if data["groups_hidden"]:
        together = data["other_groups_together"]
        lines.append(f"groups not shown by themselves: {data['groups_hidden']}")
        lines += [f"together: {line_of(together)}"] if together else []
    return "\n".join([*lines, *data["notes"]])


def line_of(part: Mapping[str, Any]) -> str:
    """Return the figures of a group in a line."""
    counts = [f"{words} {_count(part[name])}" for name, words in COUNTS.items()]
    if part["minutes"] is not None:
        counts.append(f"median from page to act {part['minutes']:,.0f} minutes")
    if part["acted_on_in_the_first_half"] is not None:
        share, expected = part["acted_on_in_the_first_half"], part["expected_if_order_did_not_matter"]
        counts.append(
            f"{share:.0%} of those acted on in the first half of the list ({expected:.0%} if order did not matter)"
        )
    return "; ".join(counts)


def _reasons(part: Mapping[str, Any]) -> list[str]:
    return [
        f"{COUNTS[kind]}, why: " + ", ".join(f"{reason.replace('_', ' ')} {_count(n)}" for reason, n in of.items())
        for kind, of in part["reasons"].items()
        if of
    ]


def _count(number: int | None) -> str:
    return HIDDEN if number is None else f"{number:,}"
