"""The audit is cut by the owner of the database, without its key; triggers are put back as they were by name only.

Before, a trigger of the same name that does nothing was taken for the audit's own.
"""

import pytest

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
