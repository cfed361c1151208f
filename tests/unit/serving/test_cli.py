"""The command reaches every verb and reports all errors in one way."""

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from types import SimpleNamespace

import click
import pytest

from histories.calendar import london_today
from histories.errors import Fault, Faults, Usage
from histories.io.system_refusals import DO
from histories.io.terminal import json_option, progress, result
from histories.io.time_left import TimeLeft
from serving.cli import demo, main


@pytest.fixture
def verb(monkeypatch):
    """Replace the verb `features` by the test's function."""

    def put(body):
        wrapped = json_option(click.command("features")(body))
        monkeypatch.setattr(main, "import_module", lambda _: SimpleNamespace(verbs=[wrapped]))

    return put


def left(arguments):
    with pytest.raises(SystemExit) as leaving:
        main.main(arguments)
    return leaving.value.code


def test_standard_output_holds_only_the_json_result(verb, capsys):
    def body(as_json):
        with progress("counting", 2) as advance:
            advance()
        result({"pupils": 2}, as_json=as_json, text="2 pupils")

    verb(body)
    assert left(["features", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"pupils": 2}
    assert left(["features"]) == 0
    assert capsys.readouterr() == ("2 pupils\n", "")


@pytest.mark.parametrize(
    ("told", "now", "text"),
    [
        (None, 100.0, ""),
        (600.0, 100.0, "about 10 min left"),
        (600.0, 340.0, "about 6 min left"),
        (600.0, 9999.0, "under a minute left"),
        (5400.0, 100.0, "about 1 h 30 min left"),
    ],
)
def test_progress_counts_down_from_the_time_left_that_it_was_told(told, now, text):
    task = SimpleNamespace(fields={"left": told, "told_at": 100.0}, get_time=lambda: now)
    assert TimeLeft().render(task).plain == text


def test_mlflow_draws_no_progress_and_neither_it_nor_bentoml_reports_home(verb, monkeypatch, tmp_path, capfd):
    from mlflow.utils.file_utils import ArtifactProgressBar

    for name in ("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "MLFLOW_DISABLE_TELEMETRY", "BENTOML_DO_NOT_TRACK"):
        monkeypatch.delenv(name, raising=False)

    def body(as_json):
        with ArtifactProgressBar.files("Downloading artifacts", 1) as bar:
            bar.update()
        result({k: os.environ[k] for k in ("MLFLOW_DISABLE_TELEMETRY", "BENTOML_DO_NOT_TRACK")}, as_json=True, text="")

    verb(body)
    assert left(["features", "--json"]) == 0
    seen = capfd.readouterr()
    assert json.loads(seen.out) == {"MLFLOW_DISABLE_TELEMETRY": "true", "BENTOML_DO_NOT_TRACK": "True"}
    assert seen.err == ""


@pytest.mark.parametrize(("kind", "code"), [(Faults, 1), (Usage, 2)])
def test_faults_leave_with_their_code_and_all_of_their_messages(verb, capsys, kind, code):
    def body(as_json):
        raise kind([Fault("no such file", "a.csv", "Name another."), Fault("empty", "b.csv", "Fill it.", "H001")])

    verb(body)
    assert left(["features"]) == code
    assert capsys.readouterr().err == "a.csv: no such file\n    Name another.\nH001 b.csv: empty\n    Fill it.\n"


@pytest.mark.parametrize("number", DO)
def test_what_the_system_refuses_is_named_with_a_remedy(verb, capsys, number):
    def body(as_json):
        raise OSError(number, "of a library, about P1", "out/.scores.parquet.writing")

    verb(body)
    assert left(["features"]) == 1
    refusal, remedy = capsys.readouterr().err.splitlines()
    assert refusal == f"out/scores.parquet: the system refuses this: {os.strerror(number).lower()}"
    assert remedy.strip() == DO[number]


PLACES = {
    "in a file": "file/out.csv",
    "a folder": "folder",
    "too long": "n" * 300 + ".csv",
    "where nobody can write": "/proc/nobody/out.csv",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "words", ["check H --report", "describe H --as-of 2025-01-13 --out", "actions export --out", "access review --out"]
)
def test_a_place_that_cannot_be_written_is_no_unexpected_error(capsys, small_histories, tmp_path, words, place):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    assert left([*words.replace("H", str(small_histories)).split(), PLACES[place]]) == 1
    refusal = capsys.readouterr().err
    assert "the system refuses this" in refusal
    assert "unexpected" not in refusal
    assert ".writing" not in refusal


def test_too_little_memory_is_reported_with_a_remedy(capsys, small_histories, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONROLL_MEMORY", "1MB")
    assert left(["features", str(small_histories), "--as-of", "2025-01-13", "--out", "f.parquet"]) == 1
    out, err = capsys.readouterr()
    assert (out, [f.name for f in tmp_path.glob("*.parquet")]) == ("", [])
    assert err.startswith("ONROLL_MEMORY: DuckDB ran out of memory")
    assert "ONROLL_MEMORY=4GiB" in err
    monkeypatch.setenv("ONROLL_MEMORY", "plenty")
    assert left(["features", str(small_histories), "--as-of", "2025-01-13", "--out", "f.parquet"]) == 1
    assert "not an amount of memory" in capsys.readouterr().err


def test_an_unexpected_error_is_reported_without_a_value(verb, capsys):
    def body(as_json):
        raise ValueError("pupil CANARY")

    verb(body)
    assert left(["features"]) == 1
    printed = capsys.readouterr()
    assert "ValueError" in printed.err
    assert "CANARY" not in printed.err + printed.out


@pytest.mark.parametrize("arguments", [["nosuchverb"], ["features", "--nosuchflag"]])
def test_wrong_usage_leaves_with_2(arguments):
    assert left(arguments) == 2


HEAVY = "alembic bentoml cryptography duckdb fastapi jinja2 lightgbm matplotlib mlflow narwhals numba numpy openpyxl opentelemetry optuna pandas polars "
HEAVY += "prometheus_client pyarrow pydantic pydantic_core pydantic_settings rich scipy shap sklearn splink sqlalchemy starlette uvicorn yaml"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["nosuchverb"]])
def test_help_imports_no_heavy_library_and_no_verb(arguments):
    """Half a second of imports before anybody can read what the verbs are called is too much."""
    program = (
        "import sys; from serving.cli.main import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit: print(*{name.partition('.')[0] for name in sys.modules}, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = set(done.stderr.split())
    assert "click" in imported
    assert not imported & set(HEAVY.split())
    assert not imported & {module for module, _ in main.VERBS.values()}
    if arguments == ["--help"]:
        assert all(f"  {name} " in done.stdout for name in main.VERBS)


def test_the_help_has_each_verbs_own_sentence():
    for name, (_, sentence) in main.VERBS.items():
        command = main.onroll.get_command(click.Context(main.onroll), name)
        assert (command.name, command.get_short_help_str(1000)) == (name, sentence)
        assert not command.hidden


def test_the_help_shows_every_verbs_sentence_whole_at_80_columns():
    program = "from serving.cli.main import main; main(['--help'])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "80"}
    )
    assert "..." not in done.stdout.partition("Commands:")[2]
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_training_runs_on_the_engine_that_the_settings_name(monkeypatch):
    """The setting is passed when histories are opened; other tests cover the engines."""
    from click.testing import CliRunner

    from histories.reading.histories import Histories
    from training.cli.train import train

    engines = []

    def opened(place, **how):
        engines.append((place, how["engine"]))
        raise Faults(Fault("enough", "here", "Stop."))

    monkeypatch.setattr(Histories, "open", opened)
    for engine in ("duckdb", "polars", "spark"):
        monkeypatch.setenv("ONROLL_ENGINE", engine)
        CliRunner().invoke(train, ["s3a://place/histories"])
    assert engines == [("s3a://place/histories", e) for e in ("duckdb", "polars", "spark")]


@pytest.mark.parametrize("day", [date(2014, 12, 31), None], ids=["early", "future"])
def test_a_demo_of_a_day_that_cannot_be_leaves_the_earlier_demo(tmp_path, monkeypatch, day):
    """Before, the earlier histories were gone when the day was refused, under the name of another verb's option."""
    monkeypatch.setattr(demo, "simulate", lambda *_, **__: pytest.fail("the day was taken"))
    earlier = tmp_path / "histories" / "pupils.parquet"
    earlier.parent.mkdir()
    earlier.write_text("of the earlier demo")
    with pytest.raises(Usage) as refused:
        demo.run(demo.MIN, tmp_path, day or london_today() + timedelta(days=2))
    assert earlier.exists()
    (fault,) = refused.value.faults
    assert fault.where == "demo --today"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["features", "h", "--as-of", "0001-01-01", "--out", "f.parquet"], "the year must be from 1900 to 2199"),
        (["features", "h", "--as-of", "9999-12-31", "--out", "f.parquet"], "the year must be from 1900 to 2199"),
        (["simulate", "h", "--last-day", "0001-01-01"], "the year must be from 1900 to 2199"),
        (
            ["import", "marks", "m.csv", "--into", "h", "--submitted", "1025-01-01"],
            "the year must be from 1900 to 2199",
        ),
        (
            ["keys", "create", "--role", "worker", "--authority", "801", "--expires", "2020-01-01"],
            "the last day is over",
        ),
    ],
)
def test_a_day_that_cannot_be_meant_is_refused(arguments, what, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert left(arguments) == 2
    said = capsys.readouterr()
    assert what in said.err
    assert said.out == ""
