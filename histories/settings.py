"""Settings: the environment wins over ``.env``, which wins over ``onroll.toml``, which wins over the defaults."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from histories.errors import Fault, Faults
from histories.io.toml import read_toml

KEYS = (
    "MLFLOW_TRACKING_URI",
    "ONROLL_DATABASE_URL",
    "ONROLL_MODEL",
    "ONROLL_PSEUDONYM_KEY",
    "ONROLL_PSEUDONYM_KEY_FILE",
    "ONROLL_ENGINE",
    "ONROLL_MEMORY",
    "ONROLL_BLOCKS",
    "ONROLL_SPARK_MASTER",
    "ONROLL_FEATURES",
    "ONROLL_ACCESS",
    "ONROLL_PAGES",
    "ONROLL_SHADOW",
    "ONROLL_AUDIT_KEY",
    "ONROLL_AUDIT_KEY_FILE",
    "ONROLL_AUDIT_ANCHOR",
    "ONROLL_AUTHORITY_FACTS",
    "ONROLL_GATES",
)
ENGINES = ("duckdb", "polars", "spark")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings in force for one working folder.

    Attributes
    ----------
    tracking_uri : str
        Where MLflow keeps runs and versions.
    artifacts : Path
        Folder of MLflow's artifacts.
    releases : Path
        Folder of the released models that the service reads.
    database_url : str
        SQLAlchemy URL of the score store.
    model : str
        The model that scores: ``name@alias`` or a folder.
    pseudonym_key : bytes or None
        Key of the pseudonyms; needed by ``import`` and ``link``.
    engine : str
        Engine of the features: ``duckdb``, ``polars`` or ``spark``.
    memory : str or None
        Most memory that DuckDB, or Spark on this machine, may use, such as ``4GiB``.
    blocks : Path
        Folder that keeps what was counted of blocks of children for the next run; it holds rows of children.
    spark_master : str or None
        Spark's master, such as ``local[2]`` or ``yarn``; ``SPARK_REMOTE`` in the environment goes before it.
    features : Path or None
        Python file with features of one's own; see ``docs/own-features.md``.
    access : Path or None
        File that says who may call the service besides holders of keys.
    pages : Path or None
        File with what an authority sets for its pages.
    shadow : float
        Share of the posted requests that a challenger scores too, 0 to 1.
    audit_key : bytes, Path or None
        Key of the audit, or the file with its keys; a SQLite database gets one beside it when there is none, another database needs one.
    audit_anchor : Path or None
        File that the audit's end is written to each day; without it, one beside the SQLite database or in the folder.
    authority_facts : Path or None
        YAML file with what only the authority can say in the papers of a model; see ``docs/judging.md``.
    gates : Path or None
        TOML file with limits of one's own for the gates of promotion; see ``docs/models.md``.
    """

    tracking_uri: str
    artifacts: Path
    releases: Path
    database_url: str
    model: str
    pseudonym_key: bytes | None
    engine: str
    memory: str | None
    blocks: Path
    features: Path | None
    access: Path | None
    pages: Path | None
    spark_master: str | None
    shadow: float
    audit_key: bytes | Path | None
    audit_anchor: Path | None
    authority_facts: Path | None
    gates: Path | None

    @property
    def studies(self) -> Path:
        """SQLite file in which searches for settings of the booster are kept, so that a broken off one goes on."""
        return self.releases.parent / "studies.db"

    @property
    def whereabouts(self) -> Path:
        """File that says where histories with some fingerprint lay when they were used here last."""
        return self.releases.parent / "histories.json"


def settings(folder: Path | None = None) -> Settings:
    """Read the settings of a working folder (the current one unless named).

    Raises
    ------
    Faults
        When a file of settings cannot be read, names an unknown setting or engine, or the key file is missing.
    """
    folder = (folder or Path.cwd()).absolute()
    found = {**_from_toml(folder / "onroll.toml"), **_from_dotenv(folder / ".env")}
    found |= {k: os.environ[k] for k in KEYS if os.environ.get(k)}
    runs = folder / "mlruns"
    return Settings(
        tracking_uri=found.get("MLFLOW_TRACKING_URI", f"sqlite:///{runs / 'mlflow.db'}"),
        artifacts=runs / "artifacts",
        releases=runs / "releases",
        database_url=found.get("ONROLL_DATABASE_URL", f"sqlite:///{folder / 'onroll.db'}"),
        model=found.get("ONROLL_MODEL", "onroll@champion"),
        pseudonym_key=_key(found, folder, "ONROLL_PSEUDONYM_KEY"),
        engine=_engine(found.get("ONROLL_ENGINE", "duckdb")),
        memory=found.get("ONROLL_MEMORY"),
        blocks=folder / found.get("ONROLL_BLOCKS", ".onroll/blocks"),
        pages=folder / found["ONROLL_PAGES"] if "ONROLL_PAGES" in found else None,
        spark_master=found.get("ONROLL_SPARK_MASTER"),
        features=folder / found["ONROLL_FEATURES"] if "ONROLL_FEATURES" in found else None,
        access=folder / found["ONROLL_ACCESS"] if "ONROLL_ACCESS" in found else None,
        shadow=_share(found.get("ONROLL_SHADOW", "0.2")),
        audit_key=found["ONROLL_AUDIT_KEY"].encode()
        if "ONROLL_AUDIT_KEY" in found
        else _key_file(found, folder, "ONROLL_AUDIT_KEY"),
        audit_anchor=folder / found["ONROLL_AUDIT_ANCHOR"] if "ONROLL_AUDIT_ANCHOR" in found else None,
        authority_facts=folder / found["ONROLL_AUTHORITY_FACTS"] if "ONROLL_AUTHORITY_FACTS" in found else None,
        gates=folder / found["ONROLL_GATES"] if "ONROLL_GATES" in found else None,
    )


def _engine(name: str) -> str:
    if name not in ENGINES:
        raise Faults(Fault("there is no such engine", "ONROLL_ENGINE", f"Use one of {', '.join(ENGINES)}."))
    return name


def _from_toml(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    found = {}
    faults = []
    for key, value in read_toml(file).items():
        # `features` is short for `onroll_features`.
        name = next((k for k in (key.upper(), f"ONROLL_{key.upper()}") if k in KEYS), None)
        if name is None or not isinstance(value, str):
            faults.append(Fault("no such setting, or not a text", f"{file}, {key}", f"Use one of {', '.join(KEYS)}."))
        else:
            found[name] = value
    if faults:
        raise Faults(faults)
    return found


def _from_dotenv(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        return {k: v for k, v in dotenv_values(file).items() if k in KEYS and v}
    except UnicodeDecodeError as error:
        raise Faults(Fault("this is not text in UTF-8", str(file), "Mend the file, or remove it.")) from error


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise Faults(Fault("this is not a share", "ONROLL_SHADOW", "Give a number from 0 to 1."))
    return share


def _key(found: dict[str, str], folder: Path, name: str) -> bytes | None:
    """Return a key that a setting holds, or the file that another setting names."""
    if name in found:
        return found[name].encode()
    file = _key_file(found, folder, name)
    return file.read_bytes().strip() if file else None


def _key_file(found: dict[str, str], folder: Path, name: str) -> Path | None:
    """Return the file that a setting names for a key, which has to be there."""
    if f"{name}_FILE" not in found:
        return None
    file = folder / found[f"{name}_FILE"]
    if not file.is_file():
        raise Faults(
            Fault("there is no such file", f"{name}_FILE, {file}", f"Put the key there, or point {name}_FILE to it.")
        )
    return file
