"""Schools in somebody's rights limit what they see, whatever else the rights say.

Before, an administrator's key with `--urn 100` and without an authority saw every child of every authority.
"""

from itertools import product

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from histories.errors import Faults
from serving.access.configuration import Configuration
from serving.cli.main import onroll
from serving.roles import IDENTITIES, ROLES
from serving.store import Caller

CHILDREN = sa.Table("children", sa.MetaData(), sa.Column("authority", sa.Text), sa.Column("urn", sa.Text))
PLACES = list(product(("801", "802", ""), ("100", "200", "900")))


@pytest.fixture(scope="module")
def connection():
    with sa.create_engine("sqlite://").connect() as connection:
        CHILDREN.metadata.create_all(connection)
        connection.execute(sa.insert(CHILDREN), [{"authority": a, "urn": u} for a, u in PLACES])
        yield connection


@pytest.mark.parametrize("urns", [(), ("100",), ("100", "900")])
@pytest.mark.parametrize("authority", [None, "801"])
@pytest.mark.parametrize("role", ROLES)
def test_nobody_sees_more_than_their_schools_and_their_authority(connection, role, authority, urns):
    caller = Caller("k", role, authority, urns)

    def seen(conditions):
        return {tuple(r) for r in connection.execute(sa.select(CHILDREN).where(*conditions))}

    shown = seen(caller.scope(CHILDREN.c))
    assert all(urn in (urns or ("100", "200", "900")) for _, urn in shown)
    everywhere = role == "administrator" and authority is None
    assert {a for a, _ in shown} <= ({"801", "802", ""} if everywhere else {authority or ""})
    assert shown == {place for place in PLACES if caller.may_see(*place)}, "rows and scored children follow one rule"
    assert seen(caller.children(CHILDREN.c)) == (shown if role in IDENTITIES else set())
    if urns and authority is None:
        assert seen(caller.scope_of_authority(CHILDREN.c)) == set()


def test_schools_without_their_authority_are_refused(tmp_path):
    made = CliRunner().invoke(onroll, ["keys", "create", "--role", "administrator", "--urn", "100"])
    assert "schools need their authority" in str(made.exception)
    file = tmp_path / "access.toml"
    file.write_text('[development]\nann = {role = "administrator", urns = ["100"]}\n')
    with pytest.raises(Faults, match="schools need their authority"):
        Configuration.load(file)
