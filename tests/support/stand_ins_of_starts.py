"""What stands in the place of guards of what starts, and of whom a start trusts: see ``tests/support/guards.py``."""

from pathlib import Path
from typing import Any


def runs_among_the_data(module: Any) -> None:
    """Start the service as before: in the folder of its data, from where Python imports first."""
    command, code = module.serve_command, str(module.CODE)

    def as_before(host: str, port: int) -> list[str]:
        return [word for word in command(host, port) if word not in ("-P", "--working-dir", code)]

    module.serve_command, module.CODE, module.service_environment = as_before, Path(), lambda *_: {"PYTHONSAFEPATH": ""}


def every_line(store: Any, connection: Any, name: str, known: Any, where: str) -> int:
    """Let the audit vouch for whatever the log says."""
    return len(known)


def acts_without(*named: str) -> Any:
    """Confirm acts whatever these parts of them are."""

    def without(module: Any) -> None:
        require = module.require

        def as_before(store: Any, settings: Any, act: Any) -> None:
            require(store, settings, {name: value for name, value in act.items() if name not in named})

        module.require = as_before

    return without
