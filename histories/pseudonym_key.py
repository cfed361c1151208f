"""The pseudonym key is kept away from the histories: whoever has both can try every UPN of a school within about a second."""

from __future__ import annotations

from pathlib import Path

from histories.errors import Fault, Faults
from histories.linking.store import LinkageStore
from histories.settings import Settings


def key_away_from(settings: Settings, histories: Path) -> bytes | None:
    """Return the pseudonym key, if there is one.

    Raises
    ------
    Faults
        When its file lies in the histories folder or in the linkage store beside it: their backups and copies would carry it along.
    """
    file = settings.pseudonym_key_file
    if file is not None and settings.pseudonym_key is not None:
        for folder in (histories, LinkageStore(histories).folder):
            if file.resolve().is_relative_to(folder.resolve()):
                do = "Move it to a folder that is not backed up or shared with the histories, and change ONROLL_PSEUDONYM_KEY_FILE."
                raise Faults(Fault("the pseudonym key lies with the data that it protects", str(file), do))
    return settings.pseudonym_key
