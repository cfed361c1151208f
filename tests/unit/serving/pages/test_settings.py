"""The file of settings of the pages: whatever is written under a key, a fault names the file and the key."""

import pytest

from histories.errors import Faults
from histories.io.toml import read_toml
from serving.pages.settings import DEFAULTS, PageSettings

SHIPPED = read_toml(DEFAULTS)
SHAPES = {
    "text": '{key} = "x"',
    "empty text": '{key} = ""',
    "number": "{key} = 3.5",
    "flag": "{key} = false",
    "day": "{key} = 2025-01-06",
    "list": "{key} = []",
    "list of texts": '{key} = ["x"]',
    "table": "[{key}]\nx = 1",
    "tables": "[[{key}]]\nx = 1",
}
TABLES = [key for key, value in SHIPPED.items() if isinstance(value, dict)]
INNER = [f"{key}.{next(iter(name for name in SHIPPED[key] if name != 'since'))}" for key in TABLES]


def fits(key, shape):
    """Return whether a shape is one that the key may have."""
    outer, _, inner = key.partition(".")
    default = SHIPPED[outer][inner] if inner else SHIPPED[outer]
    if isinstance(default, str):
        return shape in ("text", "empty text")
    return isinstance(default, list) and shape.startswith("list")


WRONG = [(key, shape) for key in (*SHIPPED, *INNER) for shape in SHAPES if not fits(key, shape)]


@pytest.mark.parametrize(("key", "shape"), WRONG)
def test_a_value_of_the_wrong_shape_is_a_fault_that_names_file_and_key(tmp_path, key, shape):
    file = tmp_path / "pages.toml"
    file.write_text(SHAPES[shape].format(key=key) + "\n")
    with pytest.raises(Faults) as refused:
        PageSettings.load(file)
    assert {fault.where.partition(", ")[0] for fault in refused.value.faults} == {str(file)}
    assert any(fault.where.startswith(f"{file}, {key}") for fault in refused.value.faults), refused.value.faults
