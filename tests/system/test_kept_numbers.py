"""Scores of which numbers are kept read as if they had been kept whole, on both databases, and never as anything else."""

import json
from datetime import date

import pytest
import sqlalchemy as sa

from histories.errors import Faults
from histories.reading.histories import Histories
from serving.store import Caller
from serving.store.database import reading, writing
from serving.store.packed import Kept
from serving.store.records import erasure
from serving.store.records.rekeying import rekey
from serving.store.records.subject_access import held_on
from serving.store.records.timeline import timeline
from serving.store.scores import complete_lists, kept_numbers, stored_scores
from serving.store.tables import Pupil, ScoreRecipe, StoredScore
from tests.support.stores import do
from training import risk_model
from training.risk_model import RiskModel

D = date(2025, 1, 13)
SHOWN = 20  # ranks that are kept whole


@pytest.fixture
def listed(bundle, small_histories, monkeypatch):
    """A list of which only the top is kept whole."""
    monkeypatch.setattr(risk_model, "EVIDENCE_RANKS", SHOWN)
    return RiskModel.load(bundle).score(Histories.open(small_histories), D)


@pytest.fixture(autouse=True)
def nothing_read_before(monkeypatch):
    monkeypatch.setattr(kept_numbers, "_recipes", {})


def texts(scores):
    return [json.dumps(s.to_dict(), ensure_ascii=False) for s in scores]


def kept_of(store):
    with reading(store.engine) as connection:
        rows = connection.execute(sa.select(StoredScore.pupil_id, StoredScore.rank, StoredScore.body))
        return {r.pupil_id: r.rank for r in rows if isinstance(r.body, Kept)}


def lead_of(scores):
    return Caller("lead", "lead", scores[0].authority)


def test_every_text_is_what_it_was_to_the_byte(store, listed):
    assert store.save(listed) == len(listed) > 200
    kept, lead = kept_of(store), lead_of(listed)
    assert sorted(kept.values()) == list(range(SHOWN + 1, len(listed) + 1))
    assert store.worklist(lead, None, 1000) == texts(listed)
    some = [listed[k] for k in (0, SHOWN - 1, SHOWN, len(listed) - 1)]
    assert sorted(store.scores(lead, [s.pupil_id for s in some], None)) == sorted(texts(some))


def test_every_reader_of_one_child_reads_the_whole_score(store, listed):
    store.save(listed)
    child, lead = listed[SHOWN + 5], lead_of(listed)
    whole = json.loads(*texts([child]))
    with store.view(lead) as view:
        ref = view.connection.scalar(sa.select(Pupil.pupil_ref).where(Pupil.pupil_id == child.pupil_id))
        (row,) = stored_scores.history(view, ref)
        one = stored_scores.one(view, row["score_id"])
        (scored,) = [e for e in timeline(view, child.pupil_id) if e["what"] == "scored"]
        held = held_on(view, child.pupil_id)["tables"]["scores"]
        (a_list,) = complete_lists.complete_lists(view)
    assert [row["score"], one["score"], held[0]["body"]] == [whole] * 3
    assert scored["protective"] == whole["protective"]
    assert list(a_list.missing_tables) == whole["missing_tables"]


def test_storing_the_same_list_again_replaces_nothing_and_another_one_what_differs(store, listed, monkeypatch):
    store.save(listed)
    store.save(listed)
    store.save([s.to_dict() for s in listed])  # as whole texts: the same scores
    with reading(store.engine) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(StoredScore)) == len(listed)
    store.save([{**listed[SHOWN + 1].to_dict(), "unseen": ["absent_14"]}, listed[SHOWN + 2].to_dict()])
    with reading(store.engine) as connection:
        replaced = sa.select(StoredScore.pupil_id).where(StoredScore.replaced_at.is_not(None))
        assert list(connection.scalars(replaced)) == [listed[SHOWN + 1].pupil_id]


def test_what_is_made_again_needs_neither_the_models_folder_nor_todays_words(store, listed, monkeypatch):
    store.save(listed)
    monkeypatch.setattr(risk_model, "wording_of", lambda *_: pytest.fail("the words are those of the recipe"))
    monkeypatch.setattr(RiskModel, "load", lambda *_: pytest.fail("the model is that of the recipe"))
    assert store.worklist(lead_of(listed), None, 1000) == texts(listed)


def test_a_machine_that_computes_other_numbers_shows_none(store, listed, bundle, monkeypatch):
    store.save(listed)
    lead, child = lead_of(listed), listed[-1].pupil_id
    scorer = type(RiskModel.load(bundle).scorer)
    contributions = scorer.contributions
    with monkeypatch.context() as other:
        other.setattr(scorer, "contributions", lambda self, x: contributions(self, x) * (1 + 1e-15))
        with pytest.raises(Faults, match="comes out differently here"):
            store.scores(lead, [child], None)
    kept_numbers._recipes.clear()
    with writing(store.engine) as connection:
        connection.execute(sa.delete(ScoreRecipe))
    with pytest.raises(Faults, match="not in the database") as found:
        store.scores(lead, [child], None)
    assert child not in str(found.value)


def test_a_new_pseudonym_and_an_erasure_reach_scores_of_which_numbers_are_kept(store, listed):
    store.save(listed)
    lead, child = lead_of(listed), listed[-1]
    new = "p" + "7" * 20
    do(store, rekey, {child.pupil_id: new}, "k1")
    assert store.scores(lead, [new], None) == [texts([child])[0].replace(child.pupil_id, new)]
    do(store, erasure.erase, [new], "asked")
    assert store.scores(lead, [new], None) == []
    assert new not in kept_of(store)
