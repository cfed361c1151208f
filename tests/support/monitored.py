"""Made-up lists whose outcomes the test chooses, and the histories in which they came."""

from __future__ import annotations

from datetime import date, timedelta

from histories.reading.histories import Histories
from serving.store.scores.complete_lists import SCHEMA, CompleteList
from tests.support.scores import full_score

DAY = date(2024, 1, 15)
END = date(2024, 9, 30)  # the newest day of the histories
HORIZON = 120
ABSENT = ("attendance", "cme", "social_care")  # tables that these histories lack, and that lists were made without
DEFINITION = "commissioner_or_unknown"  # known 60 days after the window


def tables(children=100, gone=(), moved=(), left_before=(), end=END, rolls_end=None, **more):
    """Return rows of histories: children of Year 5 on one roll, and what became of some, by number.

    ``gone`` go missing, ``moved`` go abroad within the window of ``DAY``; ``left_before`` had left, which was recorded later.
    Records go on until ``end``, those of the rolls until ``rolls_end``.
    """
    fates = dict.fromkeys(gone, ("2024-02-01", "missing_education")) | dict.fromkeys(moved, ("2024-02-01", "abroad"))
    fates |= dict.fromkeys(left_before, ("2024-01-10", "state_school"))
    pupils, spells = [], []
    for n in range(children):
        sex, authority = "FM"[n % 2], "801"
        pupils.append({"pupil_id": name(n), "date_of_birth": "2014-05-01", "sex": sex, "authority": authority})
        left, destination = fates.get(n, (None, None))
        spell = {"pupil_id": name(n), "urn": "1", "entry_date": "2018-09-04", "recorded_on": "2018-09-05"}
        recorded = left and (date.fromisoformat(left) + timedelta(days=20)).isoformat()
        spells.append({**spell, "leaving_date": left, "destination": destination, "leaving_recorded_on": recorded})
    newest = {"pupil_id": name(children), "start_date": end.isoformat(), "category": "SUSP"}
    # An adult, whose spell is the newest record of the rolls.
    pupils.append({"pupil_id": name(children), "date_of_birth": "2001-05-01", "authority": "801"})
    rolls = (rolls_end or end).isoformat()
    spells.append({"pupil_id": name(children), "urn": "1", "entry_date": "2018-09-04", "recorded_on": rolls})
    return {"pupils": pupils, "enrolments": spells, "suspensions": [newest], **more}


def histories(**how):
    """Return the histories of ``tables``."""
    return Histories.from_rows(tables(**how))


def name(n):
    """Return the identifier of a child; lower numbers come first in every order."""
    return f"p{n:04}"


def stored_list(risks, day=DAY, version="1", authority="801", **changes):
    """Return a list whose first child has the first risk."""
    fields = {
        "model": "onroll",
        "definition": DEFINITION,
        "horizon_days": HORIZON,
        "replaced": 0,
        "missing_tables": ABSENT,
    }
    means = {"mean_risk": sum(risks) / len(risks), "mean_square": sum(r * r for r in risks) / len(risks)}
    place = {"authority": authority, "as_of": day, "model_version": version}
    return CompleteList(**{**place, **fields, "children": len(risks), **means, **changes})


def with_marks(risks, day):
    """Return a list that was made with every table."""
    return stored_list(risks, day=day, missing_tables=())


def reader(risks_of):
    """Return what reads the scores of lists, from ``{list: risks}``; the list names itself by its first half."""

    def read(lists):
        import polars as pl

        rows = [row for x in lists for row in _rows(x, risks_of[x])]
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")

    return read


def _rows(x, risks):
    half = len(risks) / 2
    for n, risk in enumerate(risks):
        band, listed = ("high" if risk >= 0.3 else "usual"), ("act_today" if n < half else "help_early")
        yield (name(n), x.as_of, x.model_version, x.authority, "1", band, n + 1, risk, listed)


def scores(risks, day=DAY, version="1"):
    """Return the same list as scores that a store takes."""
    return [
        full_score(name(n), "801", "1")
        | {"as_of": day.isoformat(), "model_version": version, "risk": risk, "rank": n + 1}
        | {
            "definition": DEFINITION,
            "horizon_days": HORIZON,
            "missing_tables": list(ABSENT),
            "band": "high" if risk >= 0.3 else "usual",
        }
        | {"list": "act_today" if n < len(risks) / 2 else "help_early"}
        for n, risk in enumerate(risks)
    ]
