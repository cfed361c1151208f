"""The last known folder of each histories digest on this machine, so that results can be reproduced without naming the folder.

The file holds only folders and digests. If it is lost, name the folder with ``--histories``.
"""

from __future__ import annotations

import json
from pathlib import Path

from histories.errors import Fault, Faults
from histories.io.atomic_write import locked, new_file


def remember(file: Path, digest: str, place: Path | str, used_for: str = "") -> None:
    """Record the folder of histories by digest, and the results produced from them.

    Histories without a digest (posted rows, a Spark location) are not recorded.

    Parameters
    ----------
    used_for : str
        Such as ``scores onroll 2 2025-09-08``; the newest entry with a name counts.
    """
    if not digest:
        return
    with locked(file.with_name(f".{file.name}.lock")):
        before = _read(file)
        places = {**before["places"], digest: str(Path(place).absolute())}
        entries = {"places": places, "used": {**before["used"], **({used_for: digest} if used_for else {})}}
        if entries != before:
            with new_file(file) as beside:
                beside.write_text(json.dumps(entries, indent=1), encoding="utf-8")


def find(file: Path, digest: str = "", used_for: str = "") -> Path:
    """Return the last known folder of histories, by digest or by a result produced from them.

    Raises
    ------
    Faults
        If they have not been used on this machine.
    """
    entries = _read(file)
    place = entries["places"].get(digest or entries["used"].get(used_for, ""))
    if place is None:
        do = "Name their folder with --histories."
        raise Faults(Fault("these histories have not been used on this machine", digest[:16] or used_for, do))
    return Path(place)


def _read(file: Path) -> dict[str, dict[str, str]]:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {"places": {}, "used": {}}
