"""The audit is cut by the owner of the database, without its key; triggers are put back as they were by name only.

Before, a trigger of the same name that does nothing was taken for the audit's own, and nobody looked for others: one of another name, a rule or
row security suppressed entries, and the audit verified.
"""

import pytest

from serving.store import Caller, Unavailable, schema
from serving.store.database import writing
from tests.support.stores import verified

NOTHING = {
    "sqlite": [
        "DROP TRIGGER audit_no_delete",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT 1; END",
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION audit_only_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
    ],
}
NEVER = {
    "sqlite": [
        "DROP TRIGGER audit_no_delete",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit WHEN 0 BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END",
    ],
    "postgresql": [
        "DROP TRIGGER audit_no_delete ON audit",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit FOR EACH STATEMENT WHEN (false) EXECUTE FUNCTION audit_only_added()",
    ],
}


@pytest.mark.parametrize("statements", [NOTHING, NEVER], ids=["does nothing", "never fires"])
def test_a_trigger_replaced_by_a_no_op_is_detected(own_store, statements):
    assert verified(own_store).whole
    with writing(own_store.engine) as connection:
        for statement in statements[connection.dialect.name]:
            connection.exec_driver_sql(statement)
    assert "audit_no_delete" in verified(own_store).why


CREATED = "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$"
SUPPRESSING = {
    "trigger on audit": {
        "sqlite": ["CREATE TRIGGER quiet BEFORE INSERT ON AUDIT WHEN NEW.who = 'x' BEGIN SELECT RAISE(IGNORE); END"],
        "postgresql": [
            CREATED,
            "CREATE TRIGGER quiet BEFORE INSERT ON audit FOR EACH ROW WHEN (NEW.who = 'x') EXECUTE FUNCTION quiet()",
        ],
    },
    "rule": {
        "sqlite": [],
        "postgresql": ["CREATE RULE quiet AS ON INSERT TO audit WHERE NEW.who = 'x' DO INSTEAD NOTHING"],
    },
    "later": {
        "sqlite": [
            "DROP TRIGGER audit_no_delete",
            "CREATE TRIGGER quiet AFTER INSERT ON audit WHEN NEW.who = 'x' BEGIN DELETE FROM audit WHERE seq = NEW.seq; END",
        ],
        "postgresql": [],
    },
}


@pytest.mark.parametrize("kind", SUPPRESSING)
def test_what_suppresses_an_entry_lets_nothing_be_done_and_is_reported(own_store, kind):
    statements = SUPPRESSING[kind][own_store.engine.dialect.name]
    with writing(own_store.engine) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    if statements:
        with (
            pytest.raises(Unavailable, match="did not keep an entry"),
            own_store.change(Caller("x", "lead", "801")) as change,
        ):
            change.record("test")
        assert verified(own_store).meddled
    own_store.note(Caller("y", "lead", "801"), "test")


FOREIGN = {
    "sqlite": {
        "trigger loud on keys": ["CREATE TRIGGER loud AFTER INSERT ON keys BEGIN SELECT 1; END"],
        "ON CONFLICT in mine": ["CREATE TABLE mine (x UNIQUE ON CONFLICT IGNORE)"],
    },
    "postgresql": {
        "trigger loud on sessions": [
            CREATED,
            "CREATE TRIGGER loud AFTER INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION quiet()",
        ],
        "rule loud on keys": ["CREATE RULE loud AS ON UPDATE TO keys DO ALSO NOTIFY loud"],
        "row security on audit": ["ALTER TABLE audit ENABLE ROW LEVEL SECURITY"],
    },
}


def test_triggers_rules_and_row_security_of_others_are_reported_on_every_table(own_store):
    assert (verified(own_store).whole, schema.differences(own_store.engine)) == (True, [])
    expected = FOREIGN[own_store.engine.dialect.name]
    with writing(own_store.engine) as connection:
        for statement in (one for several in expected.values() for one in several):
            connection.exec_driver_sql(statement)
    assert ", ".join(sorted(expected)) in verified(own_store).why
    assert {f"it is not onroll's: {what}" for what in expected} <= set(schema.differences(own_store.engine))
