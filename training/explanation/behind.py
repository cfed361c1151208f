"""What to look for behind the reasons of scores: the tables of their features, and the marks that their sentences count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from features.catalogue import catalogue
from features.evidence import Behind, Marks
from features.sentences import could_say
from training.explanation.reasons import Wording
from training.explanation.score_columns import Place

PLACES = ("addresses", "areas", "enrolments", "schools")  # where a child lives and is taught, and so whom with


def behind(places: Iterable[Place], declared: Sequence[Mapping[str, Any]], wording: Wording) -> Iterator[Behind]:
    """Yield what to look for behind each reason.

    Parameters
    ----------
    places : iterable of Place
        The reasons.
    declared : sequence of mapping
        The model's declarations of its features.
    wording : mapping
        The sentences of each feature.
    """
    sources = {d["name"]: d["sources"] for d in declared}
    of_marks = [name for name in sources if "attendance" in sources[name]]
    for place in places:
        # The distinct tables of a reason, in the order of its features; what others did is in no record of this child.
        tables = list(dict.fromkeys(table for name in place.features for table in _tables(name, sources)))
        among = [*place.features, *of_marks] if "attendance" in tables else []
        yield Behind(place.pupil, tables, _marks_told(place.sentence, among, wording))


def _tables(feature: str, sources: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the tables that hold the child's own records behind a feature."""
    of_others = feature in catalogue().of_others
    return [table for table in sources.get(feature, ()) if table in PLACES or not of_others]


def _marks_told(sentence: str, among: Iterable[str], wording: Wording) -> Marks:
    """Return the marks that the feature of a sentence counts; every absence if this version has no such feature."""
    told_by = (name for name in among if any(could_say(s.text, sentence) for s in wording.get(name, ())))
    feature = catalogue().by_name.get(next(told_by, ""))
    return Marks.of(feature) if feature else Marks()
