"""Whoever breaks into one container finds no secret of another: each holds what it needs, and nothing else."""

from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICES = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
CERTIFICATES = ("database-certificate", "database-key")
OF_DATABASE = ("owner-password", "service-password", "retention-password", "access-password", "postgres-password")
# By container: every file under deploy/secrets that it can read.
HOLDS = {
    "onroll": {"pgpass", "database-authority", "audit-key"},
    "commands": {"pgpass", "database-authority", "audit-key", "mlflow-login.env"},
    "schema": {"owner-pgpass", "database-authority"},
    "retention": {"retention-pgpass", "database-authority", "audit-key"},
    "access": {"access-pgpass", "database-authority", "audit-key"},
    "postgres": {*OF_DATABASE, *CERTIFICATES},
    "mlflow": {"mlflow.env"},
}


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_holds_only_its_own_secrets(name):
    """Before, the service's process had the password of MLflow's administrator, and with it every run and model."""
    service = SERVICES[name]
    files = service.get("env_file", [])
    mounted = {v.split("/")[2].split(":")[0] for v in service.get("volumes", []) if v.startswith("./secrets/")}
    assert {*service.get("secrets", []), *(Path(file).name for file in files), *mounted} == HOLDS[name]


def test_the_service_is_told_of_no_mlflow():
    assert not any(name.startswith("MLFLOW") for name in SERVICES["onroll"]["environment"])


def test_the_systemd_unit_drops_a_login_that_the_settings_of_commands_hold():
    lines = (DEPLOY / "onroll.service").read_text("utf-8").splitlines()
    (dropped,) = (line.partition("=")[2] for line in lines if line.startswith("UnsetEnvironment="))
    assert set(dropped.split()) == {f"MLFLOW_TRACKING_{of}" for of in ("URI", "USERNAME", "PASSWORD", "TOKEN")}
