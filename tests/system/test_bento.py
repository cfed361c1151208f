"""`bentoml build` writes an archive with the locked versions and every file that the service needs."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_bentoml_build_writes_an_archive_that_holds_the_service(tmp_path):
    environment = {
        **os.environ,
        "BENTOML_HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        [sys.executable, "-m", "bentoml", "build", "--output", "tag"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = [f for f in (tmp_path / "bentos" / "onroll").iterdir() if f.is_dir()]
    source = built / "src"
    for needed in (
        "serving/http/service.py",
        "histories/codes/attendance.toml",
        "features/outcome/definition_files",
        "training/risk_model.py",
    ):
        assert (source / needed).exists(), needed
    requirements = (built / "env" / "python" / "requirements.txt").read_text()
    assert "--hash=sha256" in requirements
    assert "\npytest==" not in requirements
    assert (source / "requirements.build.lock").is_file()
    assert "libgomp1" in (built / "env" / "docker" / "Dockerfile").read_text()
    assert not (source / "tests").exists()
    assert "/api/v1/score" in (built / "apis" / "openapi.yaml").read_text()
