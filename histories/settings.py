"""Settings: the environment wins over ``.env``, which wins over ``onroll.toml``, which wins over the defaults."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from histories.errors import Fault, Faults
from histories.io.private_files import SERVICE, readable_by_others, replaceable, untrusted
from histories.io.toml import read_toml
from histories.reading import ENGINES

FOLDER = "ONROLL_FOLDER"  # of settings and data, where a process does not run in it
SQLITE_FILE = re.compile(r"(sqlite:///)(?!/|:memory:|file:|$)(.+)")


def _in_folder(path: Path, info: ValidationInfo) -> Path:
    return info.data["folder"] / path


def _database_in_folder(url: str, info: ValidationInfo) -> str:
    return SQLITE_FILE.sub(lambda m: f"{m[1]}{info.data['folder'] / m[2]}", url)


def _model_in_folder(model: str, info: ValidationInfo) -> str:
    return model if "@" in model else str(info.data["folder"] / model)


def _existing(path: Path, info: ValidationInfo) -> Path:
    file = info.data["folder"] / path
    if not file.is_file():
        context = {"file": str(file), "do": "Put the key there, or correct the path."}
        raise PydanticCustomError("setting", "there is no such file", context)
    return file


def _private(file: Path) -> Path:
    fault = readable_by_others(file)
    if fault:
        raise PydanticCustomError("setting", "{what}", {"what": fault.what, "file": fault.where, "do": fault.do})
    return file


def _trusted(file: Path) -> Path:
    fault = untrusted(file)
    if fault:
        raise PydanticCustomError("setting", "{what}", {"what": fault.what, "file": fault.where, "do": fault.do})
    return file


def _engine(name: str) -> str:
    if name not in ENGINES:
        raise PydanticCustomError("setting", "there is no such engine", {"do": f"Use one of {', '.join(ENGINES)}."})
    return name


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise PydanticCustomError("setting", "this is not a share", {"do": "Give a number from 0 to 1."})
    return share


def _below(template: str) -> Callable[[dict[str, Any]], str]:
    """Return a default factory for a location in the working folder."""

    def default(data: dict[str, Any]) -> str:
        return template.format(folder=data["folder"])

    return default


def _blocks(data: dict[str, Any]) -> Path:
    return data["folder"] / ".onroll/blocks"


def _pseudonym_key(data: dict[str, Any]) -> bytes | None:
    file = data.get("pseudonym_key_file")
    return file.read_bytes().strip() if file else None


def _audit_key(data: dict[str, Any]) -> Path | None:
    return data.get("audit_key_file")


FolderPath = Annotated[Path, AfterValidator(_in_folder)]
KeyFile = Annotated[Path, AfterValidator(_existing), AfterValidator(_trusted)]
TrustedPath = Annotated[Path, AfterValidator(_in_folder), AfterValidator(_trusted)]
SecretFile = Annotated[Path, AfterValidator(_existing), AfterValidator(_private)]


class Settings(BaseSettings):
    """The settings in force in one working folder; paths are relative to it.

    Attributes
    ----------
    folder : Path
        The working folder.
    tracking_uri : str
        Where MLflow keeps runs and versions.
    database_url : str
        SQLAlchemy URL of the score store.
    model : str
        The model that scores: ``name@alias`` or a folder.
    engine : str
        Engine of the features: ``duckdb``, ``polars`` or ``spark``.
    memory : str or None
        Memory limit of DuckDB, or of Spark on this machine, such as ``4GiB``.
    blocks : Path
        Folder that caches the counts of blocks of children; it holds rows of children.
    spark_master : str or None
        Spark's master, such as ``local[2]`` or ``yarn``; ``SPARK_REMOTE`` in the environment takes precedence.
    features : Path or None
        Python file with an authority's own features; see ``docs/own-features.md``.
    access : Path or None
        File that declares who may call the service besides holders of keys.
    pages : Path or None
        File with an authority's settings for its pages.
    shadow : float
        Share of posted requests that a challenger scores too, 0 to 1.
    pseudonym_key : bytes or None
        Key of the pseudonyms; ``import`` and ``link`` need one.
    people_key_file : Path or None
        File with the keys that encrypt names and other personal details; the pages show names only with one.
    audit_key : bytes, Path or None
        Key of the audit, or the file with its keys. SQLite gets a file beside the database by default; PostgreSQL
        needs one.
    audit_anchor : Path or None
        File that receives the audit's head every few minutes; by default beside the SQLite database, else in the folder.
    audit_syslog : str or None
        Syslog that receives it too: ``unix:/dev/log`` or ``udp:HOST:PORT``.
    alarm_syslog : str or None
        Syslog that the service's alarms are sent to, as above.
    second_person : bool
        Whether a second person confirms promotions and new keys of administrators.
    signing_key_file : Path or None
        Ed25519 private key that signs the promotion log; only for those who train and promote.
    verify_key_file : Path or None
        Public keys, one of which must have signed the move of an alias before its version serves.
    authority_facts : Path or None
        YAML file with the authority's part of a model's papers; see ``docs/judging.md``.
    gates : Path or None
        TOML file with an authority's own limits for the promotion gates; see ``docs/models.md``.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=True, env_ignore_empty=True)

    folder: Path
    tracking_uri: str = Field(
        validation_alias="MLFLOW_TRACKING_URI", default_factory=_below("sqlite:///{folder}/mlruns/mlflow.db")
    )
    database_url: Annotated[str, AfterValidator(_database_in_folder)] = Field(
        validation_alias="ONROLL_DATABASE_URL", default_factory=_below("sqlite:///{folder}/onroll.db")
    )
    model: Annotated[str, AfterValidator(_model_in_folder)] = Field("onroll@champion", validation_alias="ONROLL_MODEL")
    engine: Annotated[str, AfterValidator(_engine)] = Field("duckdb", validation_alias="ONROLL_ENGINE")
    memory: str | None = Field(None, validation_alias="ONROLL_MEMORY")
    blocks: FolderPath = Field(validation_alias="ONROLL_BLOCKS", default_factory=_blocks)
    spark_master: str | None = Field(None, validation_alias="ONROLL_SPARK_MASTER")
    features: FolderPath | None = Field(None, validation_alias="ONROLL_FEATURES")
    access: TrustedPath | None = Field(None, validation_alias="ONROLL_ACCESS")
    pages: FolderPath | None = Field(None, validation_alias="ONROLL_PAGES")
    shadow: Annotated[Any, AfterValidator(_share)] = Field(0.2, validation_alias="ONROLL_SHADOW")
    pseudonym_key_file: SecretFile | None = Field(None, validation_alias="ONROLL_PSEUDONYM_KEY_FILE")
    pseudonym_key: bytes | None = Field(
        validation_alias="ONROLL_PSEUDONYM_KEY", default_factory=_pseudonym_key, repr=False
    )
    people_key_file: SecretFile | None = Field(None, validation_alias="ONROLL_PEOPLE_KEY_FILE")
    audit_key_file: SecretFile | None = Field(None, validation_alias="ONROLL_AUDIT_KEY_FILE")
    audit_key: bytes | Path | None = Field(validation_alias="ONROLL_AUDIT_KEY", default_factory=_audit_key, repr=False)
    audit_anchor: FolderPath | None = Field(None, validation_alias="ONROLL_AUDIT_ANCHOR")
    audit_syslog: str | None = Field(None, validation_alias="ONROLL_AUDIT_SYSLOG")
    alarm_syslog: str | None = Field(None, validation_alias="ONROLL_ALARM_SYSLOG")
    second_person: bool = Field(False, validation_alias="ONROLL_SECOND_PERSON")
    signing_key_file: SecretFile | None = Field(None, validation_alias="ONROLL_SIGNING_KEY_FILE")
    verify_key_file: KeyFile | None = Field(None, validation_alias="ONROLL_VERIFY_KEY_FILE")
    authority_facts: FolderPath | None = Field(None, validation_alias="ONROLL_AUTHORITY_FACTS")
    gates: TrustedPath | None = Field(None, validation_alias="ONROLL_GATES")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources; ``toml`` among the arguments holds what ``onroll.toml`` sets."""
        arguments = dict(init_settings.init_kwargs)  # type: ignore[attr-defined]
        toml = InitSettingsSource(settings_cls, arguments.pop("toml", {}))
        return InitSettingsSource(settings_cls, arguments), env_settings, dotenv_settings, toml

    @model_validator(mode="before")
    @classmethod
    def _key_wins_over_its_file(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in values.items() if not (k.endswith("_KEY_FILE") and k.removesuffix("_FILE") in values)}

    @property
    def signing_key(self) -> bytes | None:
        """The private key that signs the promotion log, if there is one."""
        return self.signing_key_file.read_bytes() if self.signing_key_file else None

    @property
    def verify_keys(self) -> bytes | None:
        """The public keys of the promotion log, if signatures are required."""
        return self.verify_key_file.read_bytes() if self.verify_key_file else None

    @property
    def artifacts(self) -> Path:
        """Folder of MLflow's artifacts."""
        return self.folder / "mlruns" / "artifacts"

    @property
    def releases(self) -> Path:
        """Folder of the released models that the service reads."""
        return self.folder / "mlruns" / "releases"

    @property
    def model_name(self) -> str:
        """The name of the model whose promotion log decides what serves."""
        name, _, alias = self.model.partition("@")
        return name if alias else "onroll"

    @property
    def studies(self) -> Path:
        """SQLite file that keeps searches for booster settings, so that an interrupted search resumes."""
        return self.folder / "mlruns" / "studies.db"

    @property
    def whereabouts(self) -> Path:
        """File with the last known folder of each histories digest, see ``histories.location_cache``."""
        return self.folder / "mlruns" / "histories.json"


# What a file of settings may say where a service could replace that file; all else decides whom the service trusts with what.
ANYWHERE = ("ONROLL_ENGINE", "ONROLL_MEMORY", "ONROLL_SHADOW", "ONROLL_AUTHORITY_FACTS")
KEYS = tuple(str(f.validation_alias) for f in Settings.model_fields.values() if f.validation_alias)

# A key, or an address with a password, in a file of settings.
SECRET = re.compile(r"(pseudonym|audit)_key\s*=|://[^/\s:@]+:[^/\s@]+@", re.IGNORECASE)


def working_folder() -> Path:
    """Return the folder of settings and data: the current one, unless the environment names another, as for the service."""
    return Path(os.environ.get(FOLDER) or Path.cwd()).absolute()


def settings(folder: Path | None = None) -> Settings:
    """Read the settings of a working folder, by default ``working_folder()``.

    Raises
    ------
    Faults
        With every fault: a settings file that cannot be read, an unknown setting or engine, a missing key file.
    """
    folder = (folder or working_folder()).absolute()
    toml, faults = _from_toml(folder / "onroll.toml")
    for file in (folder / "onroll.toml", folder / ".env"):
        fault = readable_by_others(file)
        if fault and SECRET.search(file.read_text("utf-8", "replace")):
            faults.append(fault)
    try:
        faults += _not_settings(folder / ".env")
        loaded = Settings(_env_file=folder / ".env", folder=folder, toml=toml)  # type: ignore[call-arg]
    except UnicodeDecodeError:
        faults.append(Fault("this is not text in UTF-8", str(folder / ".env"), "Correct the file, or remove it."))
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        # After a first error pydantic computes no default from other fields, and reports each one left out.
        faults += [_fault(e) for e in errors if e["type"] != "default_factory_not_called"]
    if not faults and loaded.features is not None and "ONROLL_FEATURES" not in os.environ:
        do = "Set ONROLL_FEATURES in the environment instead: whoever can write the folder could name any program in a file."
        faults.append(Fault("a file of settings names Python code to run", f"{folder}, ONROLL_FEATURES", do))
    if not faults:
        faults += _by_whom_it_trusts(folder, toml)
    if faults:
        raise Faults(faults)
    return loaded


def _by_whom_it_trusts(folder: Path, toml: dict[str, str]) -> list[Fault]:
    """Return a fault for each setting that decides whom a service trusts, in a file that the service itself could replace."""
    if os.environ.get(SERVICE) != "1":
        return []
    do = (
        "Set it in the environment instead, as in /etc/onroll/environment or the compose file, or give this file and its folder to "
        "another owner, such as root: whoever breaks into the service could write it."
    )
    return [
        Fault("a file that the service could replace decides whom it trusts", f"{file}, {name}", do)
        for file, named in ((folder / "onroll.toml", toml), (folder / ".env", _lines(folder / ".env")))
        if replaceable(file)
        for name in named
        if name in KEYS and name not in ANYWHERE and not os.environ.get(name)
    ]


def _lines(file: Path) -> Iterable[str]:
    return DotEnvSettingsSource(Settings, env_file=file, case_sensitive=True).env_vars


def _not_settings(file: Path) -> list[Fault]:
    """Return a fault for each of our names in a ``.env`` that no setting has; other programs' names are theirs."""
    do = f"Use one of {', '.join(KEYS)}; other names count in the environment only."
    ours = (name for name in _lines(file) if name.upper().startswith("ONROLL_"))
    return [Fault("this is not a setting", f"{file}, {name}", do) for name in ours if name not in KEYS]


def _fault(error: Any) -> Fault:
    name, context = str(error["loc"][0]), error.get("ctx", {})
    where = f"{name}, {context['file']}" if "file" in context else name
    return Fault(error["msg"], where, context.get("do", "Correct the value; see docs/settings.md."))


def _from_toml(file: Path) -> tuple[dict[str, str], list[Fault]]:
    """Return the settings in a TOML file by their full names, and the faults of the others."""
    if not file.is_file():
        return {}, []
    values, faults = {}, []
    for key, value in read_toml(file).items():
        # `features` is short for `onroll_features`.
        name = next((k for k in (key.upper(), f"ONROLL_{key.upper()}") if k in KEYS), None)
        if name is None or not isinstance(value, str):
            what = "this is not a setting, or its value is not text"
            faults.append(Fault(what, f"{file}, {key}", f"Use one of {', '.join(KEYS)}."))
        elif name in values:
            faults.append(Fault("the setting is there twice", f"{file}, {key}", f"Keep one; both are {name}."))
        else:
            values[name] = value
    return values, faults
