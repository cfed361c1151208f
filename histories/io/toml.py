"""Read TOML files; an unreadable file is one fault that names the file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from histories.errors import Fault, Faults


def read_toml(file: Path) -> dict[str, Any]:
    """Read a TOML file in UTF-8, with or without the mark that editors on Windows begin a file with.

    Raises
    ------
    Faults
        When the file is missing or invalid.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Faults(Fault("the file cannot be opened", str(file), "Name an existing TOML file.")) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Faults(Fault("this is not valid TOML in UTF-8", str(file), "Correct the file, or remove it.")) from error
