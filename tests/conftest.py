"""For all tests: no telemetry, no settings of the machine, each test in an empty folder, dear worlds made once per run."""

import gc
import os
import pickle
import subprocess
import sys

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["BENTOML_DO_NOT_TRACK"] = "True"
# Tests run side by side; threads that spin while they wait for a processor would slow each of them several times.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.pop("ONROLL_FEATURES", None)  # own features stay for the whole process

import pytest
from hypothesis import HealthCheck, settings

from histories.io.private_files import SERVICE
from histories.settings import FOLDER, KEYS
from tests.support.checkout import ROOT
from tests.support.engines import QUICK_JAVA
from tests.support.shared import shared_folder

settings.register_profile(
    "onroll", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("onroll")
# The imports leave a million objects that stay; to look through them after every few hundred new ones took a tenth of a run.
gc.set_threshold(50_000, 50, 100)
os.umask(0o077)  # as every command and the service set it; keys that tests write are refused otherwise


def pytest_configure(config):
    """Compile numba's loops in the background while the workers of a parallel run collect their tests."""
    if getattr(config.option, "numprocesses", None):  # of the process that starts the workers
        subprocess.Popen([sys.executable, "-m", "tests.support.compiled"], cwd=ROOT, stdout=subprocess.DEVNULL)


# Files whose tests take minutes: begun last, one worker would be at them when the others have finished.
LONGEST = ("test_promises.py", "test_main_job.py")


@pytest.hookimpl(trylast=True)  # pytest groups tests by their fixtures first
def pytest_collection_modifyitems(items):
    """Put the tests on Spark first: xdist hands the first tests to one worker, so only that one starts Spark. The longest come next."""
    items.sort(key=_turn)


def _turn(item):
    if _on_spark(item):
        return -1
    return LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST)


def _on_spark(item):
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    # A parameter may be an expression, which cannot be compared.
    return "spark" in getattr(item, "fixturenames", ()) or any(isinstance(p, str) and p == "spark" for p in parameters)


@pytest.fixture(autouse=True)
def own_working_folder(tmp_path, monkeypatch):
    """Run each test in an empty folder, without settings of the machine and of other tests, and leave none to the fixtures of other modules.

    MLflow puts the address that it is given into the environment, where the next registry of a module would be looked for.
    """
    _forget_settings()
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    _forget_settings()


def _forget_settings():
    for key in (*KEYS, FOLDER, SERVICE, "ONROLL_TRACEBACK", "PYTHONSAFEPATH"):
        os.environ.pop(key, None)


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """One Spark session on two cores, with as few tasks as small data need."""
    from histories.reading.spark import session

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONROLL_SPARK_MASTER", "local[2]")
        patch.setenv(*QUICK_JAVA)
        patch.chdir(tmp_path_factory.mktemp("spark"))
        started = session()
    started.conf.set("spark.sql.shuffle.partitions", "2")
    started.conf.set("spark.sql.adaptive.enabled", "false")
    yield started
    started.stop()


@pytest.fixture(scope="session")
def small_histories(tmp_path_factory):
    """A folder with a made-up population of 300 pupils over one year."""
    from histories.population.simulation import simulate

    def build(folder):
        simulate(folder / "histories", pupils=300, years=1, seed=3, truth=True)

    return shared_folder(tmp_path_factory, "population", build) / "histories"


@pytest.fixture(scope="session")
def bundle(small_histories, tmp_path_factory):
    """A model folder trained on made-up labels that follow absence; good enough to score and explain with."""
    return shared_folder(tmp_path_factory, "bundle", lambda folder: write_small_model(folder, small_histories))


def write_small_model(folder, small_histories):
    from datetime import date

    import numpy as np

    from features import matrix
    from features.catalogue import catalogue
    from histories.reading.histories import Histories
    from training.bundle import Manifest, write_bundle
    from training.fitting.candidates import Learning, boosted

    table = matrix(Histories.open(small_histories), [date(2025, 1, 13), date(2025, 4, 28)])
    x = np.column_stack([table[n].to_numpy(zero_copy_only=False) for n in catalogue().names])
    y = (x[:, catalogue().names.index("absent_rate_365d")] > 0.07).astype(float)
    settings = {**boosted.DEFAULTS, "rounds": 40, "min_data_in_leaf": 5, "feature_fraction": 0.5}
    booster = boosted.train(Learning(x=x, y=y, weight=np.ones(len(y)), names=catalogue().names, seed=1), settings)
    manifest = Manifest(
        name="onroll",
        version="1",
        trained_on=["2025-01-13"],
        until=None,
        definition="commissioner_or_unknown",
        horizon_days=120,
        features=catalogue().names,
        catalogue=catalogue().declarations(),
        catalogue_digest=catalogue().digest,
        feature_digests=catalogue().feature_digests(catalogue().names),
        calibrator={"a": 1.0, "b": -1.0, "bootstrap": [[0.9, -1.1], [1.1, -0.9]]},
        bands=[{"name": "high", "at_least": 0.3}, {"name": "usual", "at_least": 0.0}],
        base_rate=0.1,
        themes=catalogue().themes,
        timing={
            "act_today": {"28": 0.6, "120": 1.0, "182": 1.2},
            "help_early": {"28": 0.2, "120": 1.0, "182": 1.5},
        },
    )
    write_bundle(folder, booster.model_to_string(), manifest, {"card.md": "# card\n"})


@pytest.fixture(scope="session")
def training_histories(tmp_path_factory):
    """A folder with a population of two authorities, large enough to train on."""
    from histories.population.simulation import simulate

    def build(folder):
        simulate(folder / "h", pupils=3000, years=4, authorities=2, seed=2)

    return shared_folder(tmp_path_factory, "training", build) / "h"


@pytest.fixture(scope="session")
def small_run(training_histories, tmp_path_factory):
    """A training on the small population: its folder of histories, its task, and what came of it."""
    from histories.reading.histories import Histories
    from training.fitting.candidates import boosted
    from training.pipeline import train
    from training.task import Task

    def build(folder):
        settings = {**boosted.DEFAULTS, "rounds": 20, "negative_share": 0.5}
        # Within 30 MB only a sample of the children who did not go missing is learnt from, which is enough here.
        trained = train(Histories.open(training_histories), Task(), config=settings, seed=1, memory="30MB")
        (folder / "trained.pickle").write_bytes(pickle.dumps(trained))

    trained = shared_folder(tmp_path_factory, "small_run", build) / "trained.pickle"
    return training_histories, Task(), pickle.loads(trained.read_bytes())
