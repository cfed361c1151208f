"""Facts that only the authority knows: who is responsible, how the list is used, how long data is kept. One YAML file says them for every paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults
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
        "integration": "where the list stands in the work",
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
        "access_and_storage": "who can reach it, where it lies",
        "recipients": "who receives scores",
        "retention_histories": "how long histories are kept here",
        "retention_scores": "how long scores are kept",
        "retention_models": "how long models and papers are kept",
    },
}
LISTS = {"impact_assessments": ("name", "description", "date", "link"), "risks": ("name", "description", "mitigation")}
NOBODY = "not applicable: no third party is involved"


@dataclass(frozen=True)
class Authority:
    """What the file says.

    Attributes
    ----------
    facts : mapping
        Texts by ``group.key``, and tables by the name of a list.
    """

    facts: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path | None) -> Authority:
        """Read the file; without one nothing is known, and the papers say so.

        Raises
        ------
        Faults
            For a missing file, bad YAML, unknown keys and values that are not texts.
        """
        if file is None:
            return cls()
        read = _yaml(file)
        faults = list(_faults(read, str(file)))
        if faults:
            raise Faults(faults)
        facts: dict[str, Value] = {
            f"{group}.{key}": _text(value) for group in TEXTS for key, value in (read.get(group) or {}).items()
        }
        if facts.get("third_party.involved") == "no":
            facts |= {f"third_party.{k}": facts.get(f"third_party.{k}") or NOBODY for k in TEXTS["third_party"]}
        for name, columns in LISTS.items():
            rows = tuple(tuple(_text(row.get(c)) for c in columns) for row in read.get(name) or [])
            facts[name] = PaperTable(columns, rows)
        return cls(facts)

    def __getitem__(self, key: str) -> Value:
        return self.facts.get(key)


def _text(value: Any) -> str:
    # YAML reads a bare no as false, and a date as a date.
    return "no" if value is False else "yes" if value is True else "" if value is None else str(value).strip()


def _yaml(file: Path) -> dict[str, Any]:
    import yaml

    try:
        read = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        do = "Point ONROLL_AUTHORITY_FACTS to a YAML file, such as a copy of docs/authority.yaml."
        raise Faults(Fault("the file cannot be opened", str(file), do)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Faults(Fault("this is not valid YAML in UTF-8", str(file), "Mend the file.")) from error
    if not isinstance(read, dict):
        raise Faults(
            Fault("this is not a mapping of facts", str(file), f"Begin with one of {', '.join((*TEXTS, *LISTS))}.")
        )
    return read


def _faults(read: dict[str, Any], where: str) -> Any:
    for group, value in read.items():
        if group in LISTS:
            yield from _list_faults(value, LISTS[group], f"{where}, {group}")
        elif group not in TEXTS:
            yield Fault("no such group", f"{where}, {group}", f"Use one of {', '.join((*TEXTS, *LISTS))}.")
        elif not isinstance(value, dict | None):
            yield Fault("this is not a mapping", f"{where}, {group}", f"Give {', '.join(TEXTS[group])}.")
        else:
            for key, said in (value or {}).items():
                if key not in TEXTS[group]:
                    yield Fault("no such key", f"{where}, {group}, {key}", f"Use one of {', '.join(TEXTS[group])}.")
                elif isinstance(said, (dict, list)):
                    yield Fault("this is not a text", f"{where}, {group}, {key}", f"Write {TEXTS[group][key]}.")


def _list_faults(value: Any, columns: tuple[str, ...], where: str) -> Any:
    do = f"Give a list of mappings with {', '.join(columns)}."
    if value is not None and not isinstance(value, list):
        yield Fault("this is not a list", where, do)
        return
    for n, row in enumerate(value or [], 1):
        if (
            not isinstance(row, dict)
            or set(row) - set(columns)
            or any(isinstance(v, (dict, list)) for v in row.values())
        ):
            yield Fault("an entry is not what it should be", f"{where}, entry {n}", do)
        elif missing := [c for c in columns if not _text(row.get(c))]:
            yield Fault(f"an entry does not say {', '.join(missing)}", f"{where}, entry {n}", do)
