"""What all tests share: no telemetry, no settings from the machine, each test in a working folder of its own."""

import os

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["BENTOML_DO_NOT_TRACK"] = "True"

import pytest
from hypothesis import HealthCheck, settings

from histories.settings import KEYS

settings.register_profile(
    "onroll", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("onroll")


@pytest.fixture(autouse=True)
def own_working_folder(tmp_path, monkeypatch):
    """Run each test in an empty folder, without the settings of whoever runs it."""
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path
