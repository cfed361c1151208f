"""Export a released model: as its bundle, or into BentoML's model store."""

from __future__ import annotations

import tempfile
from pathlib import Path

from histories.errors import Fault, Faults
from histories.io.atomic_write import new_folder
from training.bundle import bundle_digest, copy_bundle, read_bundle
from training.release.mlflow_model import save_model
from training.release.resolve import Release


def export_bundle(release: Release, out: Path) -> Path:
    """Copy the verified files of a release's bundle, and nothing else, to a new folder.

    Raises
    ------
    Faults
        When the folder exists, or the bundle is damaged.
    """
    if out.exists():
        raise Faults(Fault("the folder exists", str(out), "Name a new folder."))
    with new_folder(out) as temporary:
        copy_bundle(release.folder, temporary, release.bundle)
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

    with tempfile.TemporaryDirectory() as folder:
        bundle, path = Path(folder) / "bundle", Path(folder) / "mlflow"
        bundle.mkdir()
        copy_bundle(release.folder, bundle, release.bundle)  # MLflow copies all that lies in a folder
        _, manifest = read_bundle(bundle)
        save_model(bundle, manifest, path)
        stored = bentoml.mlflow.import_model(
            manifest.name,
            str(path),
            labels={"version": release.version or manifest.version, "definition": manifest.definition},
            metadata={"bundle": bundle_digest(bundle), "horizon_days": manifest.horizon_days},
        )
    return str(stored.tag)
