"""A pseudonym key that leaked is rotated: before, no command could, and whoever had it named every child of a stolen database.

Histories, linkage store and database get new pseudonyms in one command, although addresses and postcodes are kept nowhere.
"""

import csv
import json
import shutil
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from histories.errors import Faults, Usage
from histories.identity import generations, pseudonym, rekeyed
from histories.linking.store import LinkageStore
from histories.returns import FORMATS, import_return, rekeying
from histories.returns.merging.keys import same_children
from histories.returns.submissions import Submissions
from serving.cli.main import onroll
from serving.store.audit import audit_log
from serving.store.database import reading
from serving.store.records.places import BY_PUPIL
from serving.store.tables import StoredScore
from tests.support.census_files import left, on_roll, upn, write_census
from tests.support.stores import ADMIN, hold_everything, table_rows, verified

OLD = b"o" * 64
NAMES = ["person_id", "pupil_id", "probability", "how", "model"]


@pytest.fixture
def key_file(tmp_path, monkeypatch):
    file = tmp_path / "away" / "key"
    file.parent.mkdir()
    file.write_bytes(OLD + b"\n")
    file.chmod(0o600)
    monkeypatch.setenv("ONROLL_PSEUDONYM_KEY_FILE", str(file))
    monkeypatch.setenv("ONROLL_AUDIT_KEY", "k" * 32)
    return file


@pytest.fixture(scope="module")
def censuses(tmp_path_factory):
    """Two censuses and a changed UPN: children with homes, and one without a UPN, who is another school's child."""
    tmp_path = tmp_path_factory.mktemp("censuses")
    nameless = on_roll(5, "2024-11-04", urn="100002", upn="", forename="For1", surname="Sur1")
    autumn = write_census(tmp_path / "a", "2024_autumn", [on_roll(1), on_roll(2), on_roll(3, sen="K")])
    listed = [on_roll(1), on_roll(3, sen="E"), on_roll(4, "2025-01-06"), nameless]
    spring = write_census(tmp_path / "s", "2025_spring", listed)
    for folder, term, homes in ((autumn, "2024_autumn", ("1", "7")), (spring, "2025_spring", ("1", "8"))):
        rows = "".join(f"r{n},{home},QX1 1A{home}\n" for n, home in zip((1, 3), homes, strict=True))
        text = f"pupilonrolltableid,uniquepropertyreferencenumber,postcode\n{rows}"
        (folder / f"{term}_addressesonroll.csv").write_text(text)
    changed = tmp_path / "changes.csv"
    changed.write_text(f"upn,former_upn\n{upn(4)},{upn(2)}\n")
    return autumn, spring, changed


def imported(into, key, censuses):
    autumn, spring, changed = censuses
    for form, source in (("school-census", autumn), ("upn-changes", changed), ("school-census", spring)):
        import_return(FORMATS[form], [source], into, key)
    linkage = LinkageStore(into)
    with linkage.to_link.open(newline="") as lines:
        (person,) = (row["person_id"] for row in csv.DictReader(lines))
    pupil = pseudonym(upn(1), key)
    (linkage.folder / "links.csv").write_text(f"{','.join(NAMES)}\n{person},{pupil},1.0,answered,1\n")
    import_return(FORMATS["school-census"], [spring], into, key)
    return into


@pytest.fixture(scope="module")
def under_the_old_key(tmp_path_factory, censuses):
    return imported(tmp_path_factory.mktemp("old") / "h", OLD, censuses)


@pytest.fixture
def copied(tmp_path, under_the_old_key):
    """Return a function that copies the histories under the old key, with their linkage store, under a name."""

    def copy(name):
        shutil.copytree(LinkageStore(under_the_old_key).folder, LinkageStore(tmp_path / name).folder)
        return shutil.copytree(under_the_old_key, tmp_path / name)

    return copy


def everything(folder):
    """Return every row of every table, in order."""
    return {
        f.stem: duckdb.sql(f"SELECT * FROM '{f}' ORDER BY ALL").fetchall() for f in sorted(folder.glob("*.parquet"))
    }


def rotate(*folders):
    return CliRunner().invoke(onroll, ["pseudonyms", "rotate-key", *map(str, folders), "--json"])


def test_re_keyed_histories_are_those_of_an_import_under_the_new_key(tmp_path, key_file, censuses, copied):
    histories = copied("h")
    before = everything(histories)
    assert len(before["enrolments"]) == 5
    assert "unlinked:" not in str(before)
    done = rotate(histories)
    assert done.exit_code == 0, done.output
    key = key_file.read_bytes().strip()
    assert generations(key)[0] == OLD
    assert everything(histories) == everything(imported(tmp_path / "again", key, censuses)) != before
    assert oct(key_file.stat().st_mode)[-3:] == "600"
    gone = left(5, "2025-03-28", "2024-11-04", urn="100002", upn="", forename="For1", surname="Sur1")
    later = write_census(tmp_path / "u", "2025_summer", [on_roll(1), on_roll(3), on_roll(4, "2025-01-06"), gone])
    directory = tmp_path / "postcodes.csv"
    directory.write_text("pcds,lsoa21cd\nQX1 1A1,E01000001\nQX1 1A7,E01000002\nQX1 1A8,E01000003\n")
    for folder in (histories, tmp_path / "again"):
        import_return(FORMATS["school-census"], [later], folder, key)
        import_return(FORMATS["postcodes"], [directory], folder, key)
    assert everything(histories) == everything(tmp_path / "again"), "later returns find the same children and homes"
    assert "2025, 3, 28" in str(everything(histories)["enrolments"])
    assert "E01000002" in str(everything(histories)["addresses"])


def test_a_key_is_rotated_more_than_once(tmp_path, key_file, censuses, copied):
    histories = copied("h")
    assert rotate(histories).exit_code == rotate(histories).exit_code == 0
    key = key_file.read_bytes().strip()
    assert len(generations(key)) == 3
    assert everything(histories) == everything(imported(tmp_path / "again", key, censuses))


def test_the_old_key_names_no_child_in_any_file_or_table(tmp_path, key_file, copied):
    histories = copied("h")
    former = [pseudonym(upn(n), OLD) for n in (1, 2, 3, 4)]
    store = stored(former[:2])
    linkage, blocks = LinkageStore(histories), tmp_path / ".onroll/blocks"
    blocks.mkdir(parents=True)
    (blocks / "counted.json").write_text(former[0])
    linkage.review.write_text(f"person_id,pupil_id,probability,person,pupil,same\nN2,{former[2]},0.95,x,y,no\n")
    assert any(held(tmp_path, name) for name in former)
    done = rotate(histories)
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["pupils"] == 2
    assert {name: held(tmp_path, name) for name in former} == {name: [] for name in former}
    now = [pseudonym(upn(n), key_file.read_bytes().strip()) for n in (1, 2, 3)]
    assert [k.pupil_id for k in linkage.links()] == [now[0]]
    assert [r["pupil_id"] for r in linkage.review_rows()] == [now[2]]
    store.engine.dispose()


def held(folder, name):
    """Return the files that hold a text: those of the database as they lie there, Parquet by its values."""
    import pyarrow.parquet as pq

    files = []
    for file in (f for f in folder.rglob("*") if f.is_file()):
        content = pq.read_table(file).to_pylist() if file.suffix == ".parquet" else file.read_bytes()
        if name in str(content):
            files.append(file.name)
    return files


def stored(pupils):
    """Return a store that holds something on pupils in every table."""
    from histories.settings import settings
    from serving.store import Store

    store = Store.of(settings())
    hold_everything(store, pupils)
    return store


def test_the_database_changes_in_nothing_but_pseudonyms_and_the_audit_still_finds_who_saw_a_child(key_file, copied):
    histories = copied("h")
    former = [pseudonym(upn(n), OLD) for n in (1, 3)]
    store = stored(former)
    before = table_rows(store)
    assert rotate(histories).exit_code == 0
    now = [pseudonym(upn(n), key_file.read_bytes().strip()) for n in (1, 3)]
    expected = {
        name: sorted(row.replace(former[0], now[0]).replace(former[1], now[1]) for row in listed)
        for name, listed in before.items()
    }
    assert table_rows(store) == expected
    with store.view(ADMIN) as view:
        actions = {e["action"] for e in audit_log.entries(view, pupils=[now[0]])}
        others = {e["action"] for e in audit_log.entries(view, pupils=["p" + "0" * 20])}
        view.record("audit.seen")
    assert {"case.opened", "case.contact", "hold.placed"} <= actions
    assert not others
    assert verified(store).whole
    assert rotate(histories).exit_code == 0
    last = pseudonym(upn(1), key_file.read_bytes().strip())
    with store.view(ADMIN) as view:
        assert {e["action"] for e in audit_log.entries(view, pupils=[last])} >= actions
        view.record("audit.seen")
    store.engine.dispose()


@pytest.mark.parametrize("point", ["the database", "the linkage store", "the second folder"])
def test_an_interrupted_rotation_is_finished_by_running_it_again(key_file, censuses, copied, monkeypatch, point):
    first, second = copied("h"), copied("i")
    before = everything(first)
    store = stored([pseudonym(upn(n), OLD) for n in (1, 2)])
    with monkeypatch.context() as patch:
        broken(patch, point)
        assert rotate(first, second).exit_code != 0
    key = key_file.read_bytes().strip()
    with pytest.raises(Faults, match="left out"):
        import_return(FORMATS["school-census"], [censuses[0]], first, key)
    done = rotate(first, second)
    assert done.exit_code == 0, done.output
    assert not json.loads(done.output)["added"]
    assert key_file.read_bytes().strip() == key
    wanted = {
        table: sorted(
            ([rekeyed(v, generations(key)[1:]) if isinstance(v, str) else v for v in row] for row in listed), key=repr
        )
        for table, listed in before.items()
    }
    for folder in (first, second):
        assert {t: sorted(map(list, listed), key=repr) for t, listed in everything(folder).items()} == wanted
    with reading(store.engine) as connection:
        for table in BY_PUPIL:
            assert set(connection.scalars(sa.select(table.pupil_id))) <= {pseudonym(upn(n), key) for n in (1, 2)}
    store.engine.dispose()


def broken(patch, point):
    """Let the power go at a point."""

    def gone(*_, **__):
        raise RuntimeError("the power is gone")

    if point == "the database":
        patch.setattr("serving.store.records.rekeying._replace", gone)
    elif point == "the linkage store":
        patch.setattr(rekeying, "_rekey_linkage", gone)
    else:
        rename = Path.rename

        def fail_second(self, target):
            if self.name == ".h.writing":  # folders take their places in reverse: the second one has
                gone()
            return rename(self, target)

        patch.setattr(Path, "rename", fail_second)


def test_a_folder_that_was_left_out_is_refused_and_follows_later(key_file, censuses, copied):
    first, second = copied("h"), copied("i")
    assert rotate(first).exit_code == 0
    key = key_file.read_bytes().strip()
    with pytest.raises(Faults, match="left out"):
        import_return(FORMATS["school-census"], [censuses[0]], second, key)
    with pytest.raises(Faults, match="another key"):
        import_return(FORMATS["school-census"], [censuses[0]], second, b"another" * 10)
    done = rotate(first, second)
    assert not json.loads(done.output)["added"]
    assert key_file.read_bytes().strip() == key
    assert everything(first) == everything(second)


def test_children_of_histories_that_are_not_named_are_reported(key_file, copied):
    store = stored([pseudonym(upn(1), OLD), pseudonym("of another folder", OLD)])
    done = rotate(copied("h"))
    assert done.exit_code == 1
    assert json.loads(done.output)["others"] == 1
    with reading(store.engine) as connection:
        assert pseudonym("of another folder", OLD) in set(connection.scalars(sa.select(StoredScore.pupil_id)))
    store.engine.dispose()


def test_histories_with_an_authoritys_own_keys_and_a_key_in_no_file_are_refused(
    tmp_path, key_file, copied, monkeypatch
):
    (tmp_path / "own").mkdir()
    before = key_file.read_bytes()
    assert "no imported returns" in str(rotate(tmp_path / "own").exception)
    monkeypatch.delenv("ONROLL_PSEUDONYM_KEY_FILE")
    monkeypatch.setenv("ONROLL_PSEUDONYM_KEY", OLD.decode())
    refused = rotate(copied("h"))
    assert isinstance(refused.exception, Usage)
    assert key_file.read_bytes() == before


def test_a_childs_main_key_stays_whichever_order_the_new_keys_have(tmp_path, key_file):
    """Of UPNs that are joined both ways the first in order is the main key; new keys have another order."""
    listed = [on_roll(n) for n in range(1, 13)]
    histories = tmp_path / "h"
    census = write_census(tmp_path / "a", "2024_autumn", listed)
    pairs = [(upn(n), upn(n + 1)) for n in range(1, 13, 2)]
    changed = tmp_path / "changes.csv"
    changed.write_text("upn,former_upn\n" + "".join(f"{a},{b}\n{b},{a}\n" for a, b in pairs))
    import_return(FORMATS["school-census"], [census], histories, OLD)
    import_return(FORMATS["upn-changes"], [changed], histories, OLD)
    assert rotate(histories).exit_code == 0
    after = everything(histories)
    keys = [k for a, b in pairs for k in (a, b)]
    key = key_file.read_bytes().strip()
    both = [(pseudonym(a, key), pseudonym(b, key)) for a, b in pairs]
    chosen = same_children([*both, *((b, a) for a, b in both)], {}, Submissions(histories).kept)
    assert len(chosen) == len(pairs)
    school = write_census(tmp_path / "b", "2025_spring", [on_roll(20)])
    import_return(FORMATS["school-census"], [school], histories, key)
    children = {row[0] for row in after["pupils"]}
    assert children <= {row[0] for row in everything(histories)["pupils"]}, keys
