"""The container image, run as the compose file runs it: no rights, no network but loopback, a root that cannot be written.

Needs root, podman, buildah's chroot isolation and debootstrap, and builds for many minutes. ``ONROLL_IMAGE`` names an image that is built already.
"""

import json
import os
import shutil
import subprocess
import threading

import pytest
from packaging.utils import canonicalize_name

from tests.support.checkout import ROOT
from tests.support.interface import BODY
from tests.support.released import alias, recorded, release

PROGRAMS = ("podman",) if os.environ.get("ONROLL_IMAGE") else ("podman", "debootstrap", "make")
LACKING = [p for p in PROGRAMS if shutil.which(p) is None] + ([] if os.geteuid() == 0 else ["the rights of root"])
pytestmark = [
    pytest.mark.prove,
    pytest.mark.skipif(
        bool(LACKING), reason=f"the image is neither built nor run: this machine lacks {', '.join(LACKING)}"
    ),
]
MAX_SIZE = 1_200_000_000  # bytes
PATIENCE = 180  # looks at a container, a second apart
USER = 10001
GRACE = 130  # seconds to stop, as in the compose file
SERVE = ("serve", "--host", "127.0.0.1", "--port", "3000")
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
ASK = """
import json, sys, urllib.request
path, key, body = json.load(sys.stdin)
headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} if key else {}
request = urllib.request.Request(f"http://127.0.0.1:3000{path}", json.dumps(body).encode() if body else None, headers)
print(urllib.request.urlopen(request, timeout=60).read().decode())
"""
PACKAGES = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
LOAD = """
import ctypes, json, os, pathlib, sys
failed = []
for library in sorted(pathlib.Path(sys.prefix).rglob("*.so*")):
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        failed.append(str(error))
print(json.dumps(failed), flush=True)
os._exit(0)  # modules of other programs do not survive the end of this one
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """The environment of podman: no limits that a sandbox refuses, and runc, which also knows older control groups."""
    conf = tmp_path_factory.mktemp("engine") / "containers.conf"
    runtime = '[engine]\nruntime = "runc"\n' if shutil.which("runc") else ""
    conf.write_text(f"[containers]\ndefault_ulimits = []\n{runtime}")
    return {**os.environ, "CONTAINERS_CONF": str(conf)}


def run(environment, *words, given=None):
    done = subprocess.run(words, cwd=ROOT, env=environment, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout.strip()


@pytest.fixture(scope="module")
def image(engine, tmp_path_factory):
    """The image's name; built on a base from Debian's archive unless ``ONROLL_IMAGE`` names one."""
    if named := os.environ.get("ONROLL_IMAGE"):
        return named
    run(engine, "sh", "deploy/debian_base.sh", "podman")
    # The authorities that this machine trusts, which may include its own.
    options = f"--isolation chroot --network host --format docker --secret id=authorities,src={AUTHORITIES}"
    home = {**engine, "BENTOML_HOME": str(tmp_path_factory.mktemp("bento"))}
    words = ("TAG=onroll:test", "BASE=localhost/onroll-base", f"OPTIONS={options}")
    run(home, "make", "image", "ENGINE=podman", *words)
    return "localhost/onroll:test"


@pytest.fixture
def data(bundle, tmp_path):
    """The volume: a released champion and another version, owned by the image's user."""
    releases = tmp_path / "data" / "mlruns" / "releases"
    for version in (1, 2):
        release(releases, bundle, version)
    alias(releases, champion=1)
    recorded(releases)
    owned(tmp_path / "data")
    return tmp_path / "data"


def owned(folder):
    for place in (folder, *folder.rglob("*")):
        os.chown(place, USER, USER)


def hardened(data):
    rights = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", f"{USER}:{USER}"]
    return [*rights, "--network", "none", "--tmpfs", "/tmp:size=512m,mode=1777", "--volume", f"{data}:/data"]


def python(engine, image, program):
    words = ("podman", "run", "--rm", "--network", "none", "--entrypoint", "python", image, "-c", program)
    return json.loads(run(engine, *words))


def test_the_image_is_small_and_holds_no_tools(engine, image):
    assert int(run(engine, "podman", "image", "inspect", "--format", "{{.Size}}", image)) <= MAX_SIZE
    names = set(python(engine, image, PACKAGES))
    assert {"onroll", "bentoml", "mlflow"} <= names
    assert not {"pip", "setuptools", "pytest", "ruff", "mypy", "playwright", "pyspark", "mkdocs"} & names


def test_the_bill_of_materials_is_what_the_image_holds(engine, image, tmp_path):
    run(engine, "make", "sbom", f"SBOM={tmp_path / 'sbom.json'}")
    listed = json.loads((tmp_path / "sbom.json").read_text())["components"]
    bill = {canonicalize_name(part["name"]): part["version"] for part in listed}
    held = {canonicalize_name(name): version for name, version in python(engine, image, PACKAGES).items()}
    del held["onroll"]
    assert held.items() <= bill.items()


def test_every_library_that_the_build_stripped_still_loads(engine, image):
    failed = python(engine, image, LOAD)
    assert all("libtbb.so" in error for error in failed), failed  # numba's other pool of threads, which no wheel brings


def test_it_serves_without_rights_compiles_nothing_picks_up_a_promotion_and_stops(engine, image, data):
    words = ("keys", "create", "--role", "lead", "--authority", "801", "--json")
    key = json.loads(run(engine, "podman", "run", "--rm", *hardened(data), image, *words))["key"]
    name = f"onroll-test-{os.getpid()}"
    run(engine, "podman", "run", "--detach", "--name", name, *hardened(data), image, *SERVE)

    def ask(path, body=None, key=None):
        words = ("podman", "exec", "--interactive", name, "python", "-c", ASK)
        return run(engine, *words, given=json.dumps([path, key, body]))

    def until(ready):
        look_again = threading.Event()
        for _ in range(PATIENCE):
            try:
                if ready():
                    return True
            except AssertionError:
                pass
            look_again.wait(1)
        return False

    try:
        assert until(lambda: ask("/readyz")), run(engine, "podman", "logs", name)[-3000:]
        scored = json.loads(ask("/api/v1/score", BODY, key))
        assert 0 < scored["scores"][0]["risk"] < 1
        assert "<h1" in ask("/sign-in")
        # What the build compiled was enough.
        run(engine, "podman", "exec", name, "diff", "--recursive", "--brief", "/opt/onroll/compiled", "/tmp/compiled")
        assert json.loads(ask("/api/v1/model", key=key))["version"] == "1"
        alias(data / "mlruns" / "releases", champion=2)
        recorded(data / "mlruns" / "releases")
        owned(data)
        assert until(lambda: json.loads(ask("/api/v1/model", key=key))["version"] == "2")
        run(engine, "podman", "stop", "--time", str(GRACE), name)
        assert run(engine, "podman", "inspect", "--format", "{{.State.ExitCode}}", name) == "0"
    finally:
        subprocess.run(["podman", "rm", "--force", name], env=engine, capture_output=True, check=False)
