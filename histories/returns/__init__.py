"""Real returns become histories: each format is a small declared mapping.

Formats are discovered: every module in ``formats/`` with a ``RETURN``, and every declaration ``formats/<name>.toml``.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from operator import attrgetter
from pkgutil import iter_modules

from histories.returns import formats, mapping
from histories.returns.folder import import_folder
from histories.returns.formats import mapped_rows
from histories.returns.reading import import_return
from histories.returns.report import Report, Return


def _declared(name: str) -> Return:
    declared = mapping.load_mapping(mapping.FOLDER / f"{name}.toml")
    return Return(
        name=name,
        title=declared.title,
        fills=declared.fills,
        cannot_know=declared.cannot_know,
        convert=partial(mapped_rows.convert, declared),
        recognises=partial(mapped_rows.recognises, declared),
    )


def _discovered() -> list[Return]:
    modules = (import_module(f"{formats.__name__}.{m.name}") for m in iter_modules(formats.__path__))
    written = [m.RETURN for m in modules if hasattr(m, "RETURN")]
    names = {r.name for r in written}
    return [*written, *(_declared(f.stem) for f in mapping.FOLDER.glob("*.toml") if f.stem not in names)]


FORMATS: dict[str, Return] = {r.name: r for r in sorted(_discovered(), key=attrgetter("name"))}

__all__ = ["FORMATS", "Report", "Return", "import_folder", "import_return"]
