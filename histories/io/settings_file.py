"""Settings files: declared as pydantic models, checked as a whole, with faults that never repeat a value."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from histories.errors import Fault, Faults

Location = tuple[str | int, ...]
# Other messages are those of pydantic.
WHAT = {
    "missing": "the key is missing",
    "extra_forbidden": "there is no such key",
    "model_type": "this is not a table of keys and values",
}


class SettingsFile(BaseModel):
    """Base of all settings files: unknown keys are refused, and no fault repeats a value.

    The ``description`` of a field says what to write there; its faults end with it.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)

    @classmethod
    def of(cls, values: Mapping[str, Any], file: Path | None, do: str) -> Self:
        """Check the values of a file.

        Parameters
        ----------
        values : mapping
        file : Path or None
            The file that the faults name.
        do : str
            What to do about faults of fields without a description.

        Raises
        ------
        Faults
            With every fault in the file.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            errors = error.errors(include_input=False, include_url=False)
            raise Faults(_fault(cls, e["type"], e["msg"], e["loc"], file=str(file), do=do) for e in errors) from None


def _fault(model: type[BaseModel], kind: str, message: str, path: Location, file: str, do: str) -> Fault:
    what = WHAT.get(kind, message.removeprefix("Value error, "))
    holder, field = _declared(model, path)
    if kind == "extra_forbidden":
        do = _nearest(str(path[-1]), list(holder.model_fields))
    elif field and field.description:
        do = f"Write {field.description}."
    return Fault(what, _place(path, file), do)


def _declared(model: type[BaseModel], path: Location) -> tuple[type[BaseModel], FieldInfo | None]:
    """Return the model that holds the last key of a path, and the last field on the way to it."""
    field = None
    for n, key in enumerate(path):
        if isinstance(key, str) and key in model.model_fields:
            field = model.model_fields[key]
            if n < len(path) - 1:
                model = next(_models(field.annotation), model)
    return model, field


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _nearest(key: str, keys: list[str]) -> str:
    near = difflib.get_close_matches(key, keys, 1)
    return f"Did you mean {near[0]}? The keys here are {', '.join(keys)}." if near else f"Use one of {', '.join(keys)}."


def _place(path: Location, file: str) -> str:
    place, names = file, ""
    for key in path:
        if isinstance(key, int):
            place, names = f"{place}{names}, entry {key + 1}", ""
        else:
            names = f"{names}.{key}" if names else f", {key}"
    return place + names


def like(name: str, defaults: Mapping[str, Any], low: float = -1e9, high: float = 1e9) -> type[SettingsFile]:
    """Declare a model by example: each key takes a value of its default's kind, within a range.

    A whole number accepts whole numbers, a decimal number any number. A list accepts a non-empty list of the same kind, an empty
    list any list of texts; two decimal numbers are a range, the lower first. A table becomes a nested model.

    Parameters
    ----------
    low, high : float
        Range of every number.
    """
    fields: dict[str, Any] = {}
    for key, default in defaults.items():
        if isinstance(default, Mapping):
            inner = like(key, default, low, high)
            fields[key] = (inner, Field(default_factory=inner, description=f"a table with {', '.join(default)}"))
        else:
            example = "a list of texts" if default == [] else f"it like {_as_written(default)}"
            fields[key] = (_kind(default, low, high), Field(default=default, description=example))
    return create_model(name, __base__=SettingsFile, **fields)


def _kind(default: Any, low: float, high: float) -> Any:
    if default == []:
        return list[Annotated[str, Field(strict=True)]]
    if isinstance(default, list):
        item: Any = _kind(default[0], low, high)
        kind: Any = Annotated[list[item], Field(min_length=1)]
        return Annotated[kind, AfterValidator(_rising)] if isinstance(default[0], float) else kind
    if isinstance(default, (int, float)) and not isinstance(default, bool):
        return Annotated[type(default), Field(strict=True, ge=low, le=high, allow_inf_nan=False)]
    return Annotated[type(default), Field(strict=True)]


def _as_written(default: Any) -> str:
    """Return a default as TOML writes it."""
    return str(default) if isinstance(default, date) else json.dumps(default)


def _rising(pair: list[float]) -> list[float]:
    if len(pair) != 2 or pair[0] > pair[1]:
        raise ValueError("this is not a range of two numbers, the lower first")
    return pair
