"""Files that a command takes on trust: counts of an earlier run, and what lies in the folder of a model."""

import shutil
from datetime import date
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pyarrow.parquet as pq
import pytest
import yaml

from features.counting.block_cache import kept_blocks
from features.matrix import matrix
from histories.errors import Faults
from histories.reading.histories import Histories
from histories.settings import settings
from serving.scoring import exporting
from training.bundle import SUMS, read_bundle
from training.release.resolve import find_release

DEPLOY = Path(__file__).parents[2] / "deploy"
DAYS = [date(2025, 1, 13)]


def forged(folder):
    """Multiply every count of a cache, as whoever may write it can, and return how many files that were."""
    files = 0
    for file in folder.glob("*.parquet"):
        table = pq.read_table(file)
        if "pupil_id" not in table.column_names:
            frame = pl.DataFrame(pl.from_arrow(table)).with_columns(cs.numeric() * 50 + 1)
            pq.write_table(frame.to_arrow().replace_schema_metadata(table.schema.metadata), file)
            files += 1
    return files


@pytest.mark.parametrize("where", ["inside", "a link", "by another name", "outside"])
def test_a_command_of_a_service_takes_no_counts_that_the_service_could_write(
    small_histories, tmp_path, monkeypatch, where
):
    """Before, whoever broke into the service chose what every later score, judgement and alarm was computed from."""
    opened = Histories.open(small_histories)
    monkeypatch.setenv("ONROLL_SERVICE", "1")
    outside = tmp_path.parent / f"{tmp_path.name}-blocks"
    outside.mkdir()
    blocks = outside if where == "outside" else tmp_path / "blocks"
    if where == "a link":
        blocks.symlink_to(outside)
    elif where == "by another name":
        (tmp_path.parent / f"{tmp_path.name}-link").symlink_to(tmp_path)
        blocks = tmp_path.parent / f"{tmp_path.name}-link" / "blocks"
    monkeypatch.setenv("ONROLL_BLOCKS", str(blocks))
    true = matrix(opened, DAYS, kept=kept_blocks(settings()))
    if where == "outside":
        assert forged(blocks), "where the service cannot write, counts are kept"
    else:
        monkeypatch.delenv("ONROLL_SERVICE")
        matrix(opened, DAYS, kept=kept_blocks(settings()))
        assert forged(blocks)
        assert not matrix(opened, DAYS, kept=kept_blocks(settings())).equals(true), "counts are taken as they are"
        monkeypatch.setenv("ONROLL_SERVICE", "1")
        assert matrix(opened, DAYS, kept=kept_blocks(settings())).equals(true)


def test_as_shipped_no_service_can_write_the_counts_of_commands():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    place = services["commands"]["environment"]["ONROLL_BLOCKS"]
    reach = {name for name, s in services.items() if any(v.split(":")[1] == place for v in s.get("volumes", []))}
    assert reach == {"commands"}
    assert not any(place.startswith(v.split(":")[1] + "/") for v in services["onroll"]["volumes"])
    for verb in ("monitor", "retrain"):
        unit = (DEPLOY / f"onroll-{verb}.service").read_text("utf-8")
        assert "CacheDirectory=onroll\n" in unit
        assert "Environment=ONROLL_BLOCKS=%C/onroll\n" in unit
    service = (DEPLOY / "onroll.service").read_text("utf-8")
    assert "ProtectSystem=strict" in service
    assert "CacheDirectory" not in service


@pytest.fixture
def littered(releases, tmp_path):
    """A released version in whose folder somebody put other files and a link."""
    folder = releases / "onroll" / "v1"
    (folder / "pupils.csv").write_text("Amara Okafor")
    (folder / "more").mkdir()
    (folder / "more" / "notes").write_text("Amara Okafor")
    secret = tmp_path / "audit-key"
    secret.write_text("the key")
    (folder / "key").symlink_to(secret)
    return find_release("onroll@champion", settings().releases, None)


def held(folder):
    return {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file() or f.is_symlink()}


def listed(folder):
    return {line.split("  ")[1] for line in (folder / SUMS).read_text().splitlines()} | {SUMS}


def test_an_export_holds_the_listed_files_and_nothing_else(littered, tmp_path):
    """Before, whatever lay in the folder went along, and links were followed."""
    out = exporting.export_bundle(littered, tmp_path / "out")
    assert held(out) == listed(littered.folder)
    assert not any(f.is_symlink() for f in out.rglob("*"))
    read_bundle(out, littered.bundle)


def test_so_does_an_export_to_bentoml(littered, monkeypatch):
    seen = {}

    def watched(bundle, manifest, path):
        seen["held"] = held(bundle)
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting, "save_model", watched)
    with pytest.raises(KeyboardInterrupt):
        exporting.export_to_bentoml(littered)
    assert seen["held"] == listed(littered.folder)


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "more/notes", ".", "..", ".hidden", "a b", ""])
def test_a_list_of_files_names_only_files_beside_it(littered, tmp_path, name):
    """Before, it could name any file of the machine, which a copy would then have written elsewhere."""
    copied = tmp_path / "crafted"
    shutil.copytree(littered.folder, copied, symlinks=True)
    (tmp_path / "outside").write_text("elsewhere")
    with (copied / SUMS).open("a") as sums:
        sums.write(f"{'0' * 64}  {name}\n")
    with pytest.raises(Faults, match="not that of a file beside it"):
        read_bundle(copied)
