"""The cache of counted blocks: who may read it, and what makes it stale."""

import dataclasses
import os
import time
from datetime import date

import narwhals as nw
import polars as pl
import pytest

from features.catalogue import catalogue
from features.counting.block_cache import BlockStore
from features.counting.blocks import counted_blocks
from features.counting.tallies import parts
from features.matrix import matrix
from histories.reading.histories import Histories
from histories.tables import TABLES

DAYS = [date(2025, 1, 13), date(2025, 4, 28)]


def copied(small_histories, folder, change=lambda name, frame: frame):
    folder.mkdir(exist_ok=True)
    for file in small_histories.glob("*.parquet"):
        if file.stem in TABLES:
            frame = pl.read_parquet(file).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
            change(file.stem, frame).write_parquet(folder / file.name)
    return Histories.open(folder)


@pytest.fixture(scope="module")
def kept(small_histories, tmp_path_factory):
    """Return a folder of blocks filled by a run over the small histories, and the matrix."""
    folder = tmp_path_factory.mktemp("kept") / "blocks"
    store = BlockStore(folder)
    whole = matrix(Histories.open(small_histories), DAYS, kept=store)
    assert (store.counted > 10, store.reused) == (True, 0)
    return folder, whole


def run(opened, folder, days=DAYS):
    store = BlockStore(folder)
    return matrix(opened, days, kept=store), store


def test_a_second_run_counts_nothing_and_the_folder_is_private(small_histories, kept):
    folder, before = kept
    again, store = run(Histories.open(small_histories), folder)
    assert again.equals(before)
    assert (store.counted, store.reused > 10) == (0, True)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_later_records_do_not_make_an_earlier_day_stale(small_histories, kept, tmp_path):
    folder, before = kept
    late = date(2025, 2, 3)

    def later(name, frame):
        """Return all rows in another order, and some again, corrected on a later day."""
        if "recorded_on" not in frame.columns:
            return frame
        return pl.concat([frame.reverse(), frame.head(50).with_columns(pl.lit(late).alias("recorded_on"))])

    earlier, store = run(copied(small_histories, tmp_path / "h", later), folder, DAYS[:1])
    assert store.counted == 0
    assert earlier.equals(before.filter(before["as_of"].to_numpy() == DAYS[0]))
    _, store = run(Histories.open(tmp_path / "h"), folder)
    assert 0 < store.counted <= store.reused


@pytest.mark.parametrize(
    ("table", "change", "parts_of_it"),
    [
        ("suspensions", lambda: pl.lit(7).alias("sessions"), 1),
        ("social_care", lambda: pl.coalesce("end_date", pl.lit(date(2024, 11, 1))).alias("end_date"), 1),
        ("admissions", lambda: pl.lit(date(2024, 12, 1)).alias("offered_on"), 1),
        ("addresses", lambda: pl.lit(True).alias("temporary"), 2),  # homes are counted from addresses too
    ],
)
def test_a_changed_past_of_a_table_recounts_only_that_table(
    small_histories, kept, tmp_path, table, change, parts_of_it
):
    opened = copied(small_histories, tmp_path / "h", lambda name, f: f.with_columns(change()) if name == table else f)
    recounted, store = run(opened, kept[0])
    assert store.counted == parts_of_it * len(DAYS)
    assert recounted.equals(matrix(opened, DAYS))
    assert not recounted.equals(kept[1])


def test_a_late_end_does_not_make_an_earlier_day_stale(small_histories, kept, tmp_path):
    late = pl.col("end_date").is_null() & (pl.col("start_date") < DAYS[0])

    def ended(name, frame):
        if name != "social_care":
            return frame
        return frame.with_columns(
            pl.when(late).then(DAYS[0]).otherwise(c).alias(c) for c in ("end_date", "end_recorded_on")
        )

    opened = copied(small_histories, tmp_path / "h", ended)
    _, store = run(opened, kept[0], DAYS[:1])
    assert store.counted == 0
    recounted, store = run(opened, kept[0])
    assert store.counted == 1
    assert recounted.equals(matrix(opened, DAYS))


def test_a_changed_tally_counts_only_its_own_column(small_histories, kept):
    counted = []

    def spied(tallies):
        for part in parts(tallies):

            def count(histories, snapshots, columns, known_on, part=part):
                counted.append((part.name, columns))
                return part.count(histories, snapshots, columns, known_on)

            yield dataclasses.replace(part, count=count)

    def sums(tallies):
        with counted_blocks(
            Histories.open(small_histories), DAYS, list(spied(tallies)), kept=BlockStore(kept[0])
        ) as blocks:
            return blocks[0].counts(20101, ("suspensions_365", "suspensions_all")).to_native().sum().row(0)

    plain = sums(catalogue().tallies)
    assert counted == []
    other = dataclasses.replace(
        catalogue().tallies["suspensions_365"], where=lambda: nw.col("category").is_in(["SUSP", "PERM"]), days=None
    )
    changed = sums({**catalogue().tallies, "suspensions_365": other})
    assert counted == [("suspensions", ["suspensions_365"])]
    assert changed[0] >= changed[1] == plain[1] >= plain[0]
    sums(catalogue().tallies)


def test_another_day_of_knowledge_is_counted_separately(small_histories, kept):
    opened, known_on = Histories.open(small_histories), date(2025, 5, 20)
    store = BlockStore(kept[0])
    assert matrix(opened, DAYS, known_on=known_on, kept=store).equals(matrix(opened, DAYS, known_on=known_on))
    assert store.reused == 0


def test_files_unused_for_weeks_are_removed(tmp_path):
    store = BlockStore(tmp_path / "blocks")
    for key in ("old", "new"):
        store.write(key, pl.DataFrame({"a": [1]}), {"a": "x"})
    long_ago = time.time() - 36 * 86400
    os.utime(tmp_path / "blocks" / "old.parquet", (long_ago, long_ago))
    store.forget()
    assert (store.held("old"), store.held("new")) == ({}, {"a": "x"})
