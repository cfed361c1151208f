"""Static checks of the container file, the compose file and the systemd unit; ``tests/system/test_image.py`` builds and runs the image."""

import configparser
import re
import shlex
import tomllib
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from mlflow.environment_variables import MLFLOW_SERVER_ENABLE_JOB_EXECUTION

from histories.calendar import as_of_dates
from histories.settings import KEYS
from serving.cli.main import onroll
from serving.store.ledger.anchor_places import TAG, AnchorSyslog
from serving.store.privileges import ACCESS, RETENTION, SERVICE
from tests.support.units import unit

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES = COMPOSE["services"]
SCRIPTS = {"onroll", "mlflow"}  # commands that the image has: ours, and one of a requirement
OUTSIDE = (
    "PGPASSFILE",
    "BENTOML_HOME",
    "NUMBA_CACHE_DIR",
    "MPLCONFIGDIR",
    "HOME",
    "ONROLL_WORKERS",
    "FORWARDED_ALLOW_IPS",
    "MLFLOW_AUTH_CONFIG_PATH",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION",
)  # not of histories/settings.py


def stages():
    """Return the container file's stages, each a list of (instruction, rest)."""
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    lines = re.sub(r"\\\n\s*", "", "\n".join(x for x in text.splitlines() if not x.startswith("#"))).splitlines()
    instructions = []
    for line in filter(None, lines):
        word, _, rest = line.partition(" ")
        instructions += [[]] if word == "FROM" else []
        if instructions:  # what stands before the first stage are defaults
            instructions[-1].append((word, rest))
    return instructions


def last(stage, word):
    return [rest for name, rest in stage if name == word][-1]


def verb(words):
    """Fail unless the words are a verb of onroll with valid options."""
    command = onroll.get_command(None, words[0])
    options = {o for p in command.params for o in p.opts}
    assert {w.partition("=")[0] for w in words[1:] if w.startswith("--")} <= options


def test_the_image_runs_unprivileged_and_holds_the_bentos_files():
    build, final = stages()
    assert last(final, "USER") == "10001:10001"
    order = [word for word, _ in final]
    assert "RUN" not in order[order.index("USER") :]
    assert last(final, "ENTRYPOINT").endswith('exec onroll \\"$@\\"", "onroll"]')
    verb(yaml.safe_load(last(final, "CMD")))
    assert "/readyz" in last(final, "HEALTHCHECK")
    copied = [rest for name, rest in build if name == "COPY"]
    assert copied == ["env/python/requirements.txt /build/requirements.txt", "src /build/src"]
    runs = " && ".join(rest for name, rest in build if name == "RUN")
    assert runs.count("--require-hashes") == 2
    # The tools of the build stay in a folder that the image does not copy.
    assert [rest.split()[-2:] for name, rest in final if name == "COPY"] == [["/opt/onroll", "/opt/onroll"]]
    into_image = re.findall(r"pip --python /opt/onroll/bin/python install ([^&]*)", runs)
    assert [words.strip() for words in into_image] == [
        "--require-hashes -r /build/requirements.txt",
        "--no-deps /build/wheels/*.whl",
    ]
    assert "venv --without-pip /opt/onroll" in runs
    # What only this machine needs to reach an index is mounted while a command runs; nothing of it is in a layer.
    assert "COPY" not in [word for word, rest in build if "pip.conf" in rest]
    assert "index" not in runs.lower()
    with (ROOT / "pyproject.toml").open("rb") as project:
        metadata = tomllib.load(project)
    assert "onroll" in metadata["project"]["scripts"]
    archive = metadata["tool"]["bentoml"]["build"]
    assert archive["python"] == {"requirements_txt": "requirements.production.lock", "lock_packages": False}
    assert "/requirements.build.lock" in archive["include"]
    packages = metadata["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {f"/{package.rstrip('.*')}/" for package in packages} <= set(archive["include"])
    assert f"/{metadata['project']['readme']}" in archive["include"]  # or the image's install would fail


def test_the_image_compiles_at_build_for_the_processor_that_the_service_is_told_of():
    build, final = stages()
    (compiling,) = (rest for name, rest in build if name == "RUN" and "training.compile_loops" in rest)
    assert find_spec("training.compile_loops")
    places = dict(pair.split("=", 1) for pair in last(final, "ENV").split())
    assert f"NUMBA_CPU_NAME={places['NUMBA_CPU_NAME']} " in compiling
    assert "NUMBA_CACHE_DIR=/opt/onroll/compiled" in compiling
    assert 'cp -rT /opt/onroll/compiled \\"$NUMBA_CACHE_DIR\\"' in last(final, "ENTRYPOINT")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_root_that_cannot_be_written_and_no_privilege(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] not in ("root", "0", "0:0")
    assert any(t.partition(":")[0] == "/tmp" for t in service["tmpfs"])
    assert all(p.startswith("127.0.0.1:") for p in service.get("ports", []))
    assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service)
    # Libraries must write to a writable place.
    writable = [t.partition(":")[0] for t in service["tmpfs"]] + [
        v.partition(":")[2] for v in service.get("volumes", [])
    ]
    places = dict(pair.split("=", 1) for pair in last(stages()[1], "ENV").split())
    if service["image"] == "onroll":
        homes = [places[k] for k in ("HOME", "BENTOML_HOME", "NUMBA_CACHE_DIR", "MPLCONFIGDIR")]
        assert all(any(h.startswith(w) for w in writable) for h in homes)


def test_no_python_imports_from_the_folder_that_a_service_writes():
    places = dict(pair.split("=", 1) for pair in last(stages()[1], "ENV").split())
    assert places["PYTHONSAFEPATH"] == "1"
    assert yaml.safe_load(last(stages()[1], "HEALTHCHECK").partition("CMD ")[2])[:3] == ["python", "-P", "-c"]
    for service in SERVICES.values():
        watched = service.get("healthcheck", {}).get("test", [])
        assert watched[1:2] != ["python"] or watched[2] == "-P"
    for file in DEPLOY.glob("*.service"):
        assert "PYTHONSAFEPATH=1" in unit(file.name)["Environment"]
    # MLflow starts uvicorn, which puts its working folder first whatever Python says.
    written = [v.split(":")[1] for v in SERVICES["mlflow"]["volumes"]] + ["/tmp"]
    assert not any(SERVICES["mlflow"]["working_dir"].startswith(folder) for folder in written)


def test_every_service_is_watched_and_the_database_is_inside():
    final = stages()[1]
    for service in SERVICES.values():
        assert "healthcheck" in service or (
            service["image"] == "onroll" and any(word == "HEALTHCHECK" for word, _ in final)
        )
    assert "ports" not in SERVICES["postgres"]
    assert SERVICES["postgres"]["networks"] == ["inside"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert SERVICES["schema"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert SERVICES["onroll"]["depends_on"]["schema"]["condition"] == "service_completed_successfully"


def test_the_service_believes_this_host_alone_where_a_request_comes_from():
    """Published ports reach the service from the gateway of a network that is not internal."""
    trusted = SERVICES["onroll"]["environment"]["FORWARDED_ALLOW_IPS"]
    gateways = {
        name: network["ipam"]["config"][0]["gateway"]
        for name, network in COMPOSE["networks"].items()
        if not network.get("internal")
    }
    assert [trusted] == list(gateways.values())
    assert set(gateways) <= set(SERVICES["onroll"]["networks"])


def test_no_secret_is_written_down_and_every_setting_is_known():
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert name in (*KEYS, *OUTSIDE) or name.startswith(("POSTGRES_", "PG"))
            secret = re.search(r"PASS|KEY|SECRET|TOKEN", name)
            assert not secret or value.startswith("/run/secrets/")
            assert not re.search(r"://[^/@]*:[^/@]*@", value)  # a password in a URL
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        assert all(file.startswith("secrets/") for file in service.get("env_file", []))
    assert all(set(s) == {"file"} for s in COMPOSE["secrets"].values())
    assert "secrets/" in (ROOT / ".gitignore").read_text("utf-8").split()


def test_each_program_has_its_own_account_of_the_database_and_checks_its_server():
    accounts = {}
    for name, service in SERVICES.items():
        address = service.get("environment", {}).get("ONROLL_DATABASE_URL")
        if address:
            accounts[name] = re.match(r"postgresql://(\w+)@postgres/onroll$", address)[1]
            assert service["environment"]["PGSSLMODE"] == "verify-full"
            assert service["environment"]["PGSSLROOTCERT"] == "/run/secrets/database-authority"
            assert "database-authority" in service["secrets"]
    others = {"retention": RETENTION, "schema": "onroll_owner", "access": ACCESS}
    assert accounts == {"onroll": SERVICE, "commands": SERVICE, **others}
    assert SERVICES["schema"]["command"] == ["database", "upgrade", "--grant"]
    assert not {"owner-pgpass", "owner-password", "access-pgpass"} & set(SERVICES["onroll"]["secrets"])
    server = " ".join(SERVICES["postgres"]["command"])
    assert "ssl=on" in server
    assert "hba_file=/etc/onroll/pg_hba.conf" in server


def test_anchors_of_the_audit_leave_the_account_of_the_service():
    """Before, the only place as shipped was a file that the service owns."""
    for name in ("onroll", "commands", "retention", "access"):
        syslog = SERVICES[name]["environment"]["ONROLL_AUDIT_SYSLOG"]
        AnchorSyslog(syslog)
        inside = {v.split(":")[1]: v.split(":")[0] for v in SERVICES[name]["volumes"]}
        assert inside[syslog.removeprefix("unix:")] == "/run/systemd/journal/dev-log"
    for name in ("onroll.service", "onroll-retrain.service", "onroll-monitor.service"):
        assert "ONROLL_AUDIT_SYSLOG=unix:/dev/log" in " ".join(unit(name)["Environment"]).split()
    assert "ONROLL_ALARM_SYSLOG=unix:/dev/log" in " ".join(unit("onroll.service")["Environment"]).split()
    assert SERVICES["onroll"]["environment"]["ONROLL_ALARM_SYSLOG"] == "unix:/dev/log"
    audit = unit("onroll-audit.service")
    assert "onroll audit verify --anchors /dev/stdin" in audit["ExecStart"][0]
    assert f"journalctl --identifier={TAG.partition(':')[0]} " in audit["ExecStart"][0]
    verb(["audit"])


def test_nobody_reaches_the_database_in_clear_text_and_mlflow_without_a_login():
    rules = (DEPLOY / "postgres" / "pg_hba.conf").read_text("utf-8").splitlines()
    assert {r.split()[0] for r in rules if r and not r.startswith("#")} == {"local", "hostssl"}
    assert "--app-name=basic-auth" in SERVICES["mlflow"]["command"]
    login = configparser.ConfigParser()
    login.read(DEPLOY / "mlflow-login.ini")
    assert login["mlflow"]["default_permission"] == "NO_PERMISSIONS"
    assert "admin_password" not in login["mlflow"]
    assert any(v.endswith(":/etc/onroll/mlflow-login.ini:ro") for v in SERVICES["mlflow"]["volumes"])
    assert find_spec("flask_wtf")  # or MLflow refuses to start with a login


def test_mlflows_pages_take_two_processes_and_not_fourteen():
    assert "--workers=1" in SERVICES["mlflow"]["command"]
    assert SERVICES["mlflow"]["environment"]["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert MLFLOW_SERVER_ENABLE_JOB_EXECUTION.name == "MLFLOW_SERVER_ENABLE_JOB_EXECUTION"


# This machine, services of the compose files, and those of the example for Entra ID.
HOSTS = {"127.0.0.1", "mlflow", "onroll", "oauth2-proxy", "onroll.example", "login.microsoftonline.com"}


def default_base():
    """Return the base image that the container file names."""
    return re.search(r"^ARG BASE=(\S+)$", (DEPLOY / "Containerfile").read_text("utf-8"), re.MULTILINE)[1]


def foreign_images():
    """Return every image that others made, of all compose files and the container file."""
    composed = [re.findall(r"^\s*image: (\S+)", f.read_text("utf-8"), re.MULTILINE) for f in DEPLOY.rglob("*.yaml")]
    return [default_base(), *(image for images in composed for image in images if image != "onroll")]


def test_images_of_others_are_pinned_by_version_and_digest():
    assert {stage[0][1].split()[0] for stage in stages()} == {"${BASE}"}
    assert len(foreign_images()) == 4
    for image in foreign_images():
        assert re.fullmatch(r"[a-z0-9./-]+:v?\d+\.\d+[0-9a-z.-]*@sha256:[0-9a-f]{64}", image), image


def test_no_address_of_an_index_is_in_any_file():
    for file in (f for f in DEPLOY.rglob("*") if f.is_file()):
        hosts = re.findall(r"https?://([^/'\"\s:;]+)", file.read_text("utf-8"))
        assert set(hosts) <= HOSTS, file.name


def test_the_commands_of_the_deployment_exist():
    mlflow = SERVICES["mlflow"]
    assert set(mlflow["entrypoint"]) <= SCRIPTS
    from mlflow.cli import cli

    options = {o for p in cli.commands[mlflow["command"][0]].params for o in p.opts}
    assert {w.partition("=")[0] for w in mlflow["command"][1:]} <= options
    program, *words = shlex.split(unit()["ExecStart"][0])
    assert program == "/opt/onroll/.venv/bin/onroll"
    verb(words)


def test_the_timer_retrains_as_cron_would():
    assert set(retrain_days(unit("onroll-retrain.timer"))) == set(retrain_days_of_cron())


@pytest.mark.parametrize("verb_", ["monitor", "retrain"])
def test_what_a_timer_starts_has_the_rights_of_the_service(verb_):
    started, service = unit(f"onroll-{verb_}.service"), unit()
    program, *words = shlex.split(started["ExecStart"][0])
    assert (program, words[0]) == ("/opt/onroll/.venv/bin/onroll", verb_)
    verb(words)
    assert started["Type"] == ["oneshot"]
    hardened = [k for k in service if k.startswith(("Protect", "Private", "Restrict", "Lock", "SystemCall", "NoNew"))]
    hardened += ["User", "UMask", "CapabilityBoundingSet", "WorkingDirectory", "LoadCredential", "EnvironmentFile"]
    assert {k: started.get(k) for k in hardened} == {k: service[k] for k in hardened}


def test_every_timer_has_its_service_and_the_docs_name_it():
    timers = {f.stem for f in DEPLOY.glob("*.timer")}
    told = "".join(f.read_text("utf-8") for f in (ROOT / "docs").glob("*.md"))
    assert timers == {f.stem for f in DEPLOY.glob("onroll-*.service")}
    assert [name for name in timers if f"deploy/{name}." not in told] == []


def retrain_days(timer):
    """Return the months, and the day, on which the timer starts."""
    months, day = re.fullmatch(r"\*-([\d,]+)-(\d+) 03:00:00", timer["OnCalendar"][0]).groups()
    return [(int(month), int(day)) for month in months.split(",")]


def retrain_days_of_cron():
    text = (DEPLOY / "onroll-retrain.service").read_text("utf-8")
    day, months = re.search(r"^#   0 3 (\d+) ([\d,]+) \* systemctl start onroll-retrain", text, re.MULTILINE).groups()
    return [(int(month), int(day)) for month in months.split(",")]


def test_the_outcomes_of_a_terms_first_list_are_known_when_the_timer_starts():
    """Over ten years: lists of September are known in March, those of January in July, those of April, however late Easter is, in October."""
    runs = dict(retrain_days(unit("onroll-retrain.timer")))
    named = {9: 3, 1: 7, 4: 10, 5: 10}
    lists = as_of_dates(date(2024, 9, 1), date(2034, 8, 31))
    assert len(lists) == 30
    for day in lists:
        run = date(day.year + (day.month == 9), named[day.month], runs[named[day.month]])
        assert day + timedelta(days=180) < run, day


def test_the_systemd_unit_gives_the_service_no_needless_rights():
    directives = unit()
    for name in (
        "NoNewPrivileges",
        "ProtectHome",
        "PrivateTmp",
        "PrivateDevices",
        "ProtectClock",
        "ProtectKernelTunables",
        "ProtectKernelModules",
        "ProtectControlGroups",
        "RestrictNamespaces",
        "RestrictSUIDSGID",
        "LockPersonality",
    ):
        assert directives[name] == ["yes"], name
    assert directives["ProtectSystem"] == ["strict"]
    assert directives["CapabilityBoundingSet"] == [""]
    assert directives["User"] == ["onroll"]
    assert directives["UMask"] == ["0077"]
    assert directives["SystemCallFilter"] == ["@system-service", "~@privileged"]
    assert directives["LoadCredential"] == ["audit-key:/etc/onroll/audit-key"]
    assert int(directives["TimeoutStopSec"][0]) > 120  # the guard gives a request that long
