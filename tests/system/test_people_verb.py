"""`onroll people` from a file and from the linkage store: counts and never a value, nothing stored if a row is wrong."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from histories.settings import settings
from serving.cli.main import onroll
from serving.store import Store
from serving.store.database import reading
from serving.store.people.tables import StoredDetails
from tests.support.named_children import write_key
from tests.support.scores import score


@pytest.fixture
def store(tmp_path, monkeypatch):
    key = write_key(tmp_path.parent / f"{tmp_path.name}-keys")
    monkeypatch.setenv("ONROLL_PEOPLE_KEY_FILE", str(key))
    opened = Store.of(settings())
    opened.save([score("a", 1), score("b", 2)])
    yield opened
    opened.engine.dispose()


def run(*words):
    return CliRunner().invoke(onroll, ["people", *words])


def stored(store):
    with reading(store.engine) as connection:
        return sorted(connection.scalars(sa.select(StoredDetails.pupil_id)))


def test_a_file_is_stored_for_the_children_that_the_store_knows(store, tmp_path):
    (tmp_path / "people.csv").write_text("reference,name,upn\na,Ann Secret,UN1\nnobody,No Secret,\n")
    done = run("import", "people.csv", "--json")
    assert (done.exit_code, json.loads(done.output)) == (0, {"stored": 1, "unknown": 1, "without_upn": 1})
    assert stored(store) == ["a"]
    assert json.loads(run("status", "--json").output) == {"stored": 1, "readable": 1, "newest_key": 1}
    assert json.loads(run("remove", "--json").output)["removed"] == 1
    assert stored(store) == []


def test_names_come_from_the_linkage_store(store, tmp_path):
    (tmp_path / "h.linkage").mkdir()
    columns = {"pupil_id": ["a", "b", "c"], "forename": ["Ann", "Bea", "Cy"], "surname": ["Secret"] * 3}
    columns |= dict.fromkeys(("upn", "dob"), [None] * 3)
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    pq.write_table(table, tmp_path / "h.linkage" / "people.parquet")
    done = run("import", "--linkage", "h")
    assert done.exit_code == 0
    assert "children named: 2; left out" in done.output
    assert stored(store) == ["a", "b"]


@pytest.mark.parametrize(
    "text", ["reference,name\na,Ann Secret\nb,\n", "reference,name,dob\na,Ann Secret,Secret\n", "name\nSecret\n"]
)
def test_a_wrong_row_stores_nothing_and_no_value_is_printed(store, tmp_path, text):
    (tmp_path / "people.csv").write_text(text)
    done = run("import", "people.csv")
    assert done.exit_code == 1
    assert stored(store) == []
    assert "Secret" not in done.output + str(done.exception)


def test_a_file_without_a_known_child_fails_and_without_a_key_nothing_is_read(store, tmp_path, monkeypatch):
    (tmp_path / "people.csv").write_text("reference,name\nnobody,No Secret\n")
    assert run("import", "people.csv").exit_code == 1
    for wrong in ((), ("people.csv", "--linkage", "h"), ("missing.csv",)):
        assert run("import", *wrong).exit_code != 0
    monkeypatch.delenv("ONROLL_PEOPLE_KEY_FILE")
    assert "there is no key for the people file" in str(run("import", "people.csv").exception)
