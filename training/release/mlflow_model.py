"""The version that MLflow itself loads: the bundle's text and JSON, read by this module, so that nothing is unpickled.

Its input is the feature matrix of ``onroll features``, not histories: ranks, sentences and evidence need the histories and stay in ``onroll score``.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    """Log a bundle as a model of a run; return its id in MLflow.

    No example of the input is logged: it would be a child's row.
    """
    import mlflow

    with warnings.catch_warnings(), mlflow.start_run(run_id=run_id):
        warnings.filterwarnings("ignore", ".*input example was not provided", UserWarning)
        logged = mlflow.pyfunc.log_model(name=manifest.name, **_parts(bundle, manifest))
    return str(logged.model_id)


def _parts(bundle: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "loader_module": __name__,
        "data_path": str(bundle),
        "signature": signature(manifest),
        "pip_requirements": [f"{name}=={version(name)}" for name in RUNTIME],
    }
