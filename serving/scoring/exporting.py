"""Export a released model: as its bundle, or into BentoML's model store."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from histories.errors import Fault, Faults
from histories.io.atomic_write import new_folder
from training.bundle import bundle_digest, read_bundle
from training.release.mlflow_model import save_model
from training.release.resolve import Release


def export_bundle(release: Release, out: Path) -> Path:
    """Copy a release's bundle to a new folder, and check the copy.

    Raises
    ------
    Faults
        When the folder exists, or the bundle is damaged.
    """
    if out.exists():
        raise Faults(Fault("the folder exists", str(out), "Name a new folder."))
    with new_folder(out) as temporary:
        shutil.copytree(release.folder, temporary, dirs_exist_ok=True)
        read_bundle(temporary, release.bundle)
    return out


def export_to_bentoml(release: Release) -> str:
    """Import a release into BentoML's model store; return its tag there.

    The model loads with ``bentoml.mlflow.load_model``; its input is the matrix of ``onroll features``.

    Raises
    ------
    Faults
        When the bundle is damaged.
    """
    import bentoml

    _, manifest = read_bundle(release.folder, release.bundle)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / manifest.name
        save_model(release.folder, manifest, path)
        stored = bentoml.mlflow.import_model(
            manifest.name,
            str(path),
            labels={"version": release.version or manifest.version, "definition": manifest.definition},
            metadata={"bundle": bundle_digest(release.folder), "horizon_days": manifest.horizon_days},
        )
    return str(stored.tag)
