"""What teams were shown stands: scores can be corrected for a few days, and no promise is made anew once outcomes may be known."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from histories.errors import Faults
from serving.store import Store
from serving.store.caller import command_line
from serving.store.scores.standing import CORRECTABLE
from serving.store.scores.stored_scores import SHADOW, SHOWN
from serving.store.tables import ScoreList, StoredScore
from tests.support.databases import KEY
from tests.support.scores import score

FIRST = [score("p1", 1), score("p2", 2)]
OTHER_RISK = [{**score("p1", 1), "risk": 0.01}, score("p2", 2)]
# What is stored after the days for corrections, and whether it is refused.
LATER = {
    "the same": (FIRST, False),
    "another risk": (OTHER_RISK, True),
    "another order": ([score("p1", 2), score("p2", 1)], True),
    "a child more": ([*FIRST, score("p3", 3)], True),
    "another version": ([score("p1", 2, version="2")], True),
    "another version of another day": ([score("p1", 1, version="2", day="2025-02-03")], False),
    "another version of another authority": ([score("q1", 1, "802", version="2")], False),
    "another day": ([{**s, "as_of": "2025-02-03"} for s in OTHER_RISK], False),
}


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    opened = Store(f"sqlite:///{tmp_path}/onroll.db", KEY, tmp_path / "anchors")
    yield opened
    opened.engine.dispose()


def age(store, days):
    """Let so many days pass: all that is stored grows older by them."""
    with store.change(command_line()) as change:
        for table in (ScoreList.__table__, StoredScore.__table__):
            for row in change.connection.execute(sa.select(table)).mappings().all():
                moments = {n: row[n] for n in ("stored_at", "shown_at", "replaced_at") if row.get(n)}
                older = {name: moment - timedelta(days=days) for name, moment in moments.items()}
                same = [key == row[key.name] for key in table.primary_key]
                change.connection.execute(sa.update(table).where(*same).values(older))
        change.record("test")


def risks(store):
    with store.view(command_line()) as view:
        view.record("test")
        rows = view.connection.execute(sa.select(StoredScore.pupil_id, StoredScore.risk, StoredScore.replaced_at))
        return sorted(map(tuple, rows))


@pytest.mark.parametrize("what", LATER)
def test_a_list_that_was_shown_is_not_stored_otherwise_after_days(store, what):
    scores, is_refused = LATER[what]
    store.save(FIRST)
    age(store, CORRECTABLE.days + 1)
    before = risks(store)
    if not is_refused:
        store.save(scores)
        return
    with pytest.raises(Faults, match="more than 7 days ago"):
        store.save(scores)
    assert risks(store) == before


def test_it_can_be_corrected_for_some_days_but_a_correction_gives_no_more_time(store):
    store.save(FIRST)
    age(store, CORRECTABLE.days - 1)
    store.save(OTHER_RISK)
    age(store, 2)
    with pytest.raises(Faults, match="more than 7 days ago"):
        store.save(FIRST)


@pytest.mark.parametrize("what", [what for what, (_, is_refused) in LATER.items() if is_refused])
def test_storing_the_same_again_gives_no_more_time(store, what):
    """A job that scores the day again each week keeps nothing open: neither another risk nor a child more."""
    store.save(FIRST)
    for _ in range(2):
        age(store, CORRECTABLE.days - 1)
        store.save(FIRST)
    with pytest.raises(Faults, match="more than 7 days ago"):
        store.save(LATER[what][0])


def test_a_list_that_was_for_monitoring_can_be_corrected_for_some_days_once_it_is_shown(store):
    store.save(FIRST, purpose=SHADOW)
    age(store, CORRECTABLE.days + 1)
    store.save(FIRST, purpose=SHOWN)
    age(store, CORRECTABLE.days - 1)
    store.save(OTHER_RISK)
    age(store, 2)
    with pytest.raises(Faults, match="more than 7 days ago"):
        store.save(FIRST)


def test_a_list_for_monitoring_is_no_promise(store):
    store.save(FIRST, purpose=SHADOW)
    age(store, CORRECTABLE.days + 1)
    store.save(OTHER_RISK, purpose=SHOWN)


def test_another_version_does_not_take_the_place_of_a_list_after_days(store):
    """Of several lists of a day the one stored last counts as shown: one made once outcomes are known would be judged in its place."""
    store.save(FIRST)
    age(store, CORRECTABLE.days - 1)
    store.save([score("p1", 1, version="2")])
    age(store, 2)
    for scores in ([score("p1", 1, version="3")], [score("p1", 2, version="3")]):
        with pytest.raises(Faults, match="list of another version of this day"):
            store.save(scores)
    store.save([score("p1", 1, version="3")], purpose=SHADOW)


def test_other_words_are_no_other_promise(store):
    store.save(FIRST)
    age(store, CORRECTABLE.days + 1)
    store.save([{**s, "reasons": [], "catalogue_digest": "0" * 64} for s in FIRST])


def test_one_number_of_a_version_does_not_stand_for_two_models(store):
    """Lists, the account of a child and a withdrawal name a version by its number."""
    store.save(FIRST)
    other = [{**s, "model": "another", "as_of": "2025-02-03"} for s in FIRST]
    with pytest.raises(Faults, match="version 1 of onroll, and these are of version 1 of another"):
        store.save(other)
    store.save([{**s, "model_version": "2"} for s in other])
    store.save([{**s, "authority": "802", "pupil_id": f"q{n}"} for n, s in enumerate(other)])
