"""Whether people decide: what staff saw, did and set aside of what the lists showed, by group of staff and never by person.

A list that is followed without a look is an automated decision in all but name. No figure here is good or bad by itself: they are for a talk
with the team.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from features.groups.disclosure import SMALLEST, rounded
from serving.store.cases.involvement import Material, Step

MIN_PEOPLE, MIN_ACTS = 5, 10  # a group with fewer of either is hidden: a figure must not be that of a person
NOTES = (
    "By groups of at least 5 people with 10 steps between them; smaller groups are together, or hidden. It is no ranking: groups have other children and other work.",
    "The time is from the first opening of the child's page to that person's first contact, action or enquiry for the child, by the records. It holds nights, weekends and telephone calls, and is no time of reading.",
    "The order matters if those first on the list were acted on more often than others on it. Neither high nor low agreement is good by itself.",
    "Whoever reads over a colleague's shoulder, or decides in a meeting, is not in the records.",
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """What some of the staff did.

    Attributes
    ----------
    people, steps : int
        How many of them took a step, and how many steps they took; opening a page is none.
    seen, acted, set_aside, doubted : int
        Children of the lists whose page they opened, for whom they acted, whom they set aside, and whose records they doubted.
    opened_below : int
        Cases that they opened for children whom no list had shown by then.
    reasons : dict
        Children set aside or doubted, by reason.
    unseen : int
        Children for whom somebody acted who had not opened the page before.
    minutes : float or None
        Median of the minutes from the first opening of a page to the same person's first act.
    timed : int
        People whose time is among those minutes.
    first, expected : float or None
        Share of the children acted on who stood in the first half of their list, and of all who were shown.
    """

    people: int
    steps: int
    seen: int
    acted: int
    set_aside: int
    doubted: int
    opened_below: int
    reasons: dict[str, dict[str, int]]
    unseen: int
    minutes: float | None
    timed: int
    first: float | None
    expected: float | None

    @property
    def is_small(self) -> bool:
        """Whether the figures could be those of a person."""
        return self.people < MIN_PEOPLE or self.steps < MIN_ACTS

    def to_dict(self, *, exact: bool = False) -> dict[str, Any]:
        """Return JSON-ready data; unless ``exact``, counts of few children are None and others rounded."""
        names = ("seen", "acted", "set_aside", "doubted", "opened_below", "unseen")
        counts = {name: _shown(getattr(self, name), exact=exact) for name in names}
        reasons = {kind: {r: _shown(n, exact=exact) for r, n in of.items()} for kind, of in self.reasons.items()}
        enough = exact or self.acted > SMALLEST
        return {
            **counts,
            "reasons": reasons,
            "minutes": self.minutes if exact or (enough and self.timed >= MIN_PEOPLE) else None,
            "acted_on_in_the_first_half": _coarse(self.first, exact=exact) if enough else None,
            "expected_if_order_did_not_matter": _coarse(self.expected, exact=exact) if enough else None,
        }


def _shown(count: int, *, exact: bool) -> int | None:
    if exact:
        return count
    return rounded(count) if count > SMALLEST else None


def _coarse(share: float | None, *, exact: bool) -> float | None:
    """Return a share in tenths: beside a rounded count, an exact one tells the count."""
    return share if exact or share is None else round(share, 1)


@dataclass(frozen=True, kw_only=True)
class Involvement:
    """What people did with the lists of a period.

    Attributes
    ----------
    material : Material
    whole : Part
        Of all staff.
    groups : dict
        By ``authority, locality, role``; only groups that may be shown.
    together : Part or None
        Of the other groups together; None if there are none, or they may not be shown either.
    hidden : int
        Groups that are not shown by themselves.
    """

    material: Material
    whole: Part
    groups: dict[tuple[str, str, str], Part]
    together: Part | None
    hidden: int

    def to_dict(self, *, exact: bool = False) -> dict[str, Any]:
        """Return JSON-ready data without any child or person."""
        made = self.material
        small = self.whole.is_small
        return {
            "since": str(made.since),
            "until": str(made.until),
            "lists": made.lists,
            "shown": _shown(len(made.shown), exact=exact),
            "staff": None if small else self.whole.to_dict(exact=exact),
            "groups": [
                {"authority": a, "locality": p or None, "role": r, **part.to_dict(exact=exact)}
                for (a, p, r), part in self.groups.items()
            ],
            "other_groups_together": self.together.to_dict(exact=exact) if self.together else None,
            "groups_hidden": self.hidden,
            "notes": list(NOTES),
        }


def involvement(made: Material) -> Involvement:
    """Return what people did, by groups of which none can be taken for a person, nor worked out from the others."""
    members: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for step in made.steps:
        members[made.groups[step.who]].add(step.who)
    parts = {group: _part(made, members[group]) for group in sorted(members)}
    hidden = {group for group, part in parts.items() if part.is_small}
    by_size = sorted(parts.keys() - hidden, key=lambda g: (parts[g].people, parts[g].steps, g))
    # The whole less the groups shown is the rest: it must not be small either.
    while hidden and by_size and _part(made, _people(members, hidden)).is_small:
        hidden.add(by_size.pop(0))
    together = _part(made, _people(members, hidden)) if hidden else None
    return Involvement(
        material=made,
        whole=_part(made, made.groups),
        groups={group: part for group, part in parts.items() if group not in hidden},
        together=together if together and not together.is_small else None,
        hidden=len(hidden),
    )


def _people(members: dict[tuple[str, str, str], set[str]], groups: Iterable[tuple[str, str, str]]) -> set[str]:
    return set().union(*(members[group] for group in groups))


def _part(made: Material, people: Collection[str]) -> Part:
    steps = [step for step in made.steps if step.who in people]
    of_lists = [s for s in steps if s.pupil_id in made.shown and s.at >= made.shown[s.pupil_id]]
    children = {
        kind: {s.pupil_id for s in of_lists if s.kind == kind} for kind in ("seen", "acted", "set_aside", "doubted")
    }
    reasons = {
        kind: dict(Counter(r for _, r in sorted({(s.pupil_id, s.reason) for s in of_lists if s.kind == kind})))
        for kind in ("set_aside", "doubted")
    }
    below = [
        s for s in steps if s.kind == "opened" and not (s.pupil_id in made.shown and s.at >= made.shown[s.pupil_id])
    ]
    done = [s for s in of_lists if s.kind in ("acted", "set_aside", "doubted")]
    waits, unseen = _from_view_to_act(steps, made.shown)
    half = _first_half(made, made.shown)
    return Part(
        people=len({s.who for s in [*done, *below]}),
        steps=len(done) + len(below),
        **{kind: len(pupils) for kind, pupils in children.items()},
        opened_below=len(below),
        reasons=reasons,
        unseen=unseen,
        minutes=median(minutes for _, minutes in waits) if waits else None,
        timed=len({who for who, _ in waits}),
        first=_share(half, children["acted"]),
        expected=_share(half, made.shown),
    )


def _first_half(made: Material, pupils: Iterable[str]) -> set[str]:
    """Return the children in the first half of the places that lists showed."""
    most = max(made.place.values(), default=0)
    return {p for p in pupils if made.place[p] <= most / 2}


def _share(half: Collection[str], pupils: Collection[str]) -> float | None:
    return sum(p in half for p in pupils) / len(pupils) if pupils else None


def _from_view_to_act(steps: Sequence[Step], shown: Mapping[str, datetime]) -> tuple[list[tuple[str, float]], int]:
    """Return who waited how many minutes from each person's first view of a child to the same person's first act, and for how many children somebody acted without a view.

    Both are of views and acts since the child was shown. Whoever had opened the page before then acted neither unseen nor after minutes.
    """
    viewed: dict[tuple[str, str], datetime] = {}
    before: set[tuple[str, str]] = set()
    acted: set[tuple[str, str]] = set()
    waits, unseen = [], set()
    for step in steps:  # in the order of time
        key, since = (step.who, step.pupil_id), shown.get(step.pupil_id)
        if since is None:
            continue
        if step.kind == "seen" and step.at < since:
            before.add(key)
        elif step.kind == "seen":
            viewed.setdefault(key, step.at)
        elif step.kind == "acted" and step.at >= since and key not in acted:
            acted.add(key)
            if key in viewed:
                waits.append((step.who, (step.at - viewed[key]).total_seconds() / 60))
            elif key not in before:
                unseen.add(step.pupil_id)
    return waits, len(unseen)
