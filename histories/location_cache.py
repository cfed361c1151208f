"""Where histories lay when they were last used here, by their fingerprint: what was made from them can be made again without being told.

The file holds folders and fingerprints only. What is lost with it can be said again by naming the folder.
"""

from __future__ import annotations

import json
from pathlib import Path

from histories.errors import Fault, Faults
from histories.io.atomic_write import locked, new_file


def remember(file: Path, digest: str, place: Path | str, used_for: str = "") -> None:
    """Note where histories with a fingerprint are, and what was made from them.

    Those without a fingerprint (posted rows, a place of Spark's) are not noted.

    Parameters
    ----------
    used_for : str
        Such as ``scores onroll 2 2025-09-08``; the newest use under a name counts.
    """
    if not digest:
        return
    with locked(file.with_name(f".{file.name}.lock")):
        before = _known(file)
        places = {**before["places"], digest: str(Path(place).absolute())}
        known = {"places": places, "used": {**before["used"], **({used_for: digest} if used_for else {})}}
        if known != before:
            with new_file(file) as beside:
                beside.write_text(json.dumps(known, indent=1), encoding="utf-8")


def find(file: Path, digest: str = "", used_for: str = "") -> Path:
    """Return where histories with a fingerprint, or those from which something was made, lay.

    Raises
    ------
    Faults
        When they were not used here.
    """
    known = _known(file)
    place = known["places"].get(digest or known["used"].get(used_for, ""))
    if place is None:
        do = "Name their folder with --histories."
        raise Faults(Fault("it is not known here where the histories are", digest[:16] or used_for, do))
    return Path(place)


def _known(file: Path) -> dict[str, dict[str, str]]:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {"places": {}, "used": {}}
