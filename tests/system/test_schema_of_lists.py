"""What revisions of the schema make of lists that were stored before them."""

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from serving.store import schema
from serving.store.database import open_engine, reading, writing
from serving.store.tables import ScoreList
from tests.support.scores import score


def test_earlier_lists_are_shown_and_get_the_capacity_that_the_audit_holds_from_before_them(empty_url):
    """Revision 0026: what was set after a list was stored, or by nobody who is known, is not its capacity."""
    engine = open_engine(empty_url + ("" if empty_url.startswith("sqlite") else "&options=-c%20timezone%3DAsia/Tokyo"))
    schema.upgrade(engine, "0025")
    noon = datetime(2025, 1, 13, 12, tzinfo=UTC)
    sets = [("801", "", 25, -2), ("801", "north", 5, -1), ("801", "", 5, 1), ("802", "", 9, 1), (None, "", 7, -3)]
    entry = {"who": "lead", "role": "lead", "action": "capacity.set", "pupils": "[]", "mac": ""}
    entries = [
        {**entry, "seq": seq, "at": (noon + timedelta(hours=hours)).isoformat(), "authority": authority, "details": d}
        for seq, (authority, team, per_week, hours) in enumerate(sets, 1)
        for d in [json.dumps({"team": team, "per_week": per_week, "version": 1})]
    ]
    lists = [{"authority": a, "as_of": noon.date(), "model_version": "1", "stored_at": noon} for a in ("801", "802")]
    with writing(engine) as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        connection.execute(sa.insert(tables.tables["audit"]), entries)
        connection.execute(sa.insert(tables.tables["score_lists"]), lists)
    schema.upgrade(engine)
    with reading(engine) as connection:
        kept = connection.execute(sa.select(ScoreList.purpose, ScoreList.capacity).order_by(ScoreList.authority))
        known = [{"teams": {"": 25, "north": 5}}, {}]
        assert [(r.purpose, json.loads(r.capacity)) for r in kept] == [("shown", k) for k in known]
    engine.dispose()


def test_lists_of_before_count_as_shown_since_their_first_score(empty_url):
    """Revision 0032: also one that was replaced since; a list that was not shown since none, and one without scores since it was stored."""
    engine = open_engine(empty_url + ("" if empty_url.startswith("sqlite") else "&options=-c%20timezone%3DAsia/Tokyo"))
    schema.upgrade(engine, "0031")
    first = datetime(2025, 1, 13, 12, tzinfo=UTC)
    later = first + timedelta(days=6)
    s = score("p1", 1)
    columns = ("model", "definition", "horizon_days", "authority", "urn", "nc_year", "band", "rank", "risk")
    row = {**{k: s[k] for k in columns}, "pupil_id": "p1", "as_of": first.date(), "body": b""}
    row |= {"catalogue_digest": "c", "features_digest": "f"}
    scores = [
        {**row, "score_id": f"{version}{n}", "model_version": version, "stored_at": at, "replaced_at": gone}
        for version in ("1", "2")
        for n, (at, gone) in enumerate([(first, later), (later, None)])
    ]
    place = {"authority": "801", "as_of": first.date(), "stored_at": later}
    purposes = {"1": "shown", "2": "shadow", "3": "shown"}
    with writing(engine) as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        connection.execute(sa.insert(tables.tables["scores"]), scores)
        lists = [{**place, "model_version": version, "purpose": purpose} for version, purpose in purposes.items()]
        connection.execute(sa.insert(tables.tables["score_lists"]), lists)
    schema.upgrade(engine)
    with reading(engine) as connection:
        kept = connection.execute(sa.select(ScoreList.model_version, ScoreList.shown_at)).all()
    assert dict(map(tuple, kept)) == {"1": first, "2": None, "3": later}
    engine.dispose()
