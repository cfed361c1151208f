"""Where the service must not run: within the archive that `bentoml build` wrote, which has no model, no keys and no store."""

from __future__ import annotations

from pathlib import Path

from histories.errors import Fault, Faults


def refuse_within(folder: Path) -> None:
    """Refuse a working folder that is an archive's.

    ``bentoml serve onroll:latest`` makes it the working folder: a new database and a new audit key would be written into the archive.

    Raises
    ------
    Faults
        When the folder is that of an archive's sources.
    """
    if folder.name == "src" and (folder.parent / "bento.yaml").is_file():
        do = "In your working folder, run: PYTHONPATH=$(bentoml get onroll:latest --output path)/src bentoml serve serving.http.service:Onroll --host 127.0.0.1"
        raise Faults(Fault("an archive of BentoML is no working folder", str(folder), do))
