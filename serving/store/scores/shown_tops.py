"""The children whom teams were shown first on a list: what the list promised is promised of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from serving.store.scores.complete_lists import CompleteList
from serving.store.scores.tops import top_of
from serving.store.tables import StoredScore
from serving.store.unit_of_work import View


def shown_first(view: View, x: CompleteList, places: int, schools: Mapping[str, Collection[str]]) -> set[str]:
    """Return the children at the top of a list as it was shown on its day, without those who had been set aside before.

    A team of some schools is shown the first children of its own schools, in a list of its own length: together they are not the first of
    the authority. The calling code records the view.

    Parameters
    ----------
    places : int
        How many the whole authority is shown where no team has a capacity of its own.
    schools : mapping
        The schools (URN) of each team, as they are today.
    """
    known = {team: n for team, n in x.teams if not team or team in schools}
    if not known.keys() - {""}:
        known = {"": places}
    listed, of_authority = (x.as_of, x.model_version), StoredScore.authority == x.authority
    tops: set[str] = set()
    for team, most in known.items():
        where = (of_authority, StoredScore.urn.in_(list(schools[team]))) if team else (of_authority,)
        tops |= {row.pupil_id for row in top_of(view, listed, most, where=where)}
    return tops
