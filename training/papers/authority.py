"""The authority's facts for the papers, from one YAML file: who is responsible, how the list is used, how long data is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, create_model

from histories.errors import Fault, Faults
from histories.io.settings_file import SettingsFile
from training.papers.paper import PaperTable, Value

TEXTS: dict[str, dict[str, str]] = {
    "organisation": {
        "name": "the authority, as in its constitution",
        "type": "local authority, combined authority, …",
        "function": "what the unit does",
        "region": "region of England",
        "team": "team that owns the tool",
        "senior_responsible_owner": "role, not a person's name",
        "contact_email": "address that answers the public",
        "website": "page about the tool",
        "data_protection_officer": "how to reach the officer",
    },
    "third_party": {
        "involved": "who else built or runs it, or no",
        "name": "name",
        "companies_house_number": "number",
        "role": "what the third party does",
        "procurement": "kind of procurement procedure",
        "data_access": "terms on which the third party sees data",
    },
    "use": {
        "phase": "pilot, production, retired, …",
        "benefit": "what it is for, and how its benefit will be measured",
        "previous_process": "what was done before",
        "users": "who reads the list",
        "integration": "where the list fits into the work",
        "human_review": "who decides, on what, and what they can change",
        "frequency_and_scale": "how often, for how many children",
        "training": "what users learn before they may use it",
        "appeals": "how a family can ask and object",
        "maintenance": "who retrains and reviews it, and how often",
        "licence": "terms on which others may use the model",
    },
    "data": {
        "lawful_basis": "articles and statutes",
        "source_name": "where the histories come from",
        "source_url": "address of a page about the source, or that there is none",
        "collection": "how the data is collected",
        "sharing_agreements": "agreements under which it is shared",
        "access_and_storage": "who can access it, where it is stored",
        "recipients": "who receives scores",
        "retention_histories": "how long histories are kept here",
        "retention_scores": "how long scores are kept",
        "retention_models": "how long models and papers are kept",
    },
}
LISTS = {"impact_assessments": ("name", "description", "date", "link"), "risks": ("name", "description", "mitigation")}
NOBODY = "not applicable: no third party is involved"


def _text(value: Any) -> Any:
    """Return a YAML scalar as text: YAML parses a bare ``no`` as false, and dates as dates."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (str, int, float, date)):
        return str(value).strip()
    return value


Fact = Annotated[str, BeforeValidator(_text)]


def _group(name: str, texts: Mapping[str, str]) -> Any:
    fields: dict[str, Any] = {key: (Fact | None, Field(default=None, description=text)) for key, text in texts.items()}
    return create_model(name, __base__=SettingsFile, **fields)


def _list(name: str, columns: tuple[str, ...], do: str) -> Any:
    fields: dict[str, Any] = {c: (Annotated[Fact, Field(min_length=1)], Field(description=do)) for c in columns}
    entry: Any = create_model(name, __base__=SettingsFile, **fields)
    return list[entry]


def _declare() -> type[SettingsFile]:
    fields: dict[str, Any] = {
        name: (_group(name, texts) | None, Field(default=None, description=f"a mapping with {', '.join(texts)}"))
        for name, texts in TEXTS.items()
    }
    for name, columns in LISTS.items():
        do = f"a list of mappings with {', '.join(columns)}"
        fields[name] = (_list(name, columns, do) | None, Field(default=None, description=do))
    return create_model("AuthorityFile", __base__=SettingsFile, **fields)


AuthorityFile = _declare()


@dataclass(frozen=True)
class Authority:
    """The facts in the file.

    Attributes
    ----------
    facts : mapping
        Texts by ``group.key``, and tables by the name of a list.
    """

    facts: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path | None) -> Authority:
        """Read the file; without one, the papers report every fact as not provided.

        Raises
        ------
        Faults
            For a missing file, invalid YAML, unknown keys and values that are not text.
        """
        if file is None:
            return cls()
        read = AuthorityFile.of(_yaml(file), file, "Correct the file.").model_dump()
        facts: dict[str, Value] = {
            f"{group}.{key}": value
            for group in TEXTS
            for key, value in (read[group] or {}).items()
            if value is not None
        }
        if facts.get("third_party.involved") == "no":
            facts |= {f"third_party.{k}": facts.get(f"third_party.{k}") or NOBODY for k in TEXTS["third_party"]}
        for name, columns in LISTS.items():
            rows = tuple(tuple(row[c] for c in columns) for row in read[name] or [])
            facts[name] = PaperTable(columns, rows)
        return cls(facts)

    def __getitem__(self, key: str) -> Value:
        return self.facts.get(key)


def _yaml(file: Path) -> dict[str, Any]:
    import yaml

    try:
        read = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        do = "Point ONROLL_AUTHORITY_FACTS to a YAML file, such as a copy of docs/authority.yaml."
        raise Faults(Fault("the file cannot be opened", str(file), do)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Faults(Fault("this is not valid YAML in UTF-8", str(file), "Correct the file.")) from error
    if not isinstance(read, dict):
        raise Faults(
            Fault("this is not a mapping of facts", str(file), f"Begin with one of {', '.join((*TEXTS, *LISTS))}.")
        )
    return read
