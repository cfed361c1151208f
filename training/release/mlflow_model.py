"""The version that MLflow itself loads: the bundle's text and JSON, read by this module, so that nothing is unpickled.

Its input is the feature matrix of ``onroll features``, not histories: ranks, sentences and evidence need the histories and stay in ``onroll score``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.made_up_child import made_up_features
from training.risk_model import RiskModel

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

    from training.bundle import Manifest

RUNTIME = ("onroll", "numpy", "numba", "polars", "pandas", "pyarrow", "narwhals")  # what scoring a matrix imports


class MatrixModel:
    """Scores a feature matrix; MLflow calls ``predict``.

    Parameters
    ----------
    model : RiskModel
    """

    def __init__(self, model: RiskModel) -> None:
        self.model = model

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Return the risks of feature rows; see ``RiskModel.predict``.

        Parameters
        ----------
        model_input : pandas.DataFrame, shape (rows, features)
        params : mapping, optional
            ``contributions``: also return each feature's contribution.
        """
        return self.model.predict(model_input, contributions=bool((params or {}).get("contributions")))


def _load_pyfunc(path: str) -> MatrixModel:
    """Load the bundle at a path after checking its checksums; MLflow calls this by its name."""
    return MatrixModel(RiskModel.load(Path(path)))


def signature(manifest: Manifest) -> ModelSignature:
    """Return the columns in and out, and the parameter that asks for contributions."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

    inputs = Schema([ColSpec("double", name) for name in manifest.features])
    returned = Schema([ColSpec("double", name) for name in ("risk", "risk_low", "risk_high", "margin")])
    return ModelSignature(inputs, returned, ParamSchema([ParamSpec("contributions", "boolean", False)]))


def save_model(bundle: Path, manifest: Manifest, folder: Path) -> None:
    """Write a bundle as a model in MLflow's format into a new folder."""
    import mlflow

    mlflow.pyfunc.save_model(path=str(folder), **_parts(bundle, manifest))


def log_model(bundle: Path, manifest: Manifest, run_id: str) -> str:
    """Log a bundle as a model of a run; return its id in MLflow."""
    import mlflow

    facts = facts_of(manifest)
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.pyfunc.log_model(name=manifest.name, params=facts, tags=facts, **_parts(bundle, manifest))
    return str(logged.model_id)


def facts_of(manifest: Manifest) -> dict[str, str]:
    """Return by what a model is found in MLflow: its task, its kind and its data."""
    names = ("definition", "horizon_days", "candidate", "data_digest", "catalogue_digest", "code_version")
    return {name: str(getattr(manifest, name)) for name in names}


def input_example(manifest: Manifest) -> pd.DataFrame:
    """Return the features of a made-up child: no row of a child reaches MLflow."""
    return made_up_features().reset_index(drop=True).reindex(columns=manifest.features)


def _parts(bundle: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "loader_module": __name__,
        "data_path": str(bundle),
        "signature": signature(manifest),
        "input_example": input_example(manifest),
        "metadata": {**facts_of(manifest), "input": "the matrix of 'onroll features'"},
        "pip_requirements": [f"{name}=={version(name)}" for name in RUNTIME],
    }
