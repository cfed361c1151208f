"""The pseudonym key is kept away from the histories: whoever has both can try every UPN of a school within about a second."""

from __future__ import annotations

import secrets
from pathlib import Path

from histories.errors import Fault, Faults
from histories.identity import generations, joined
from histories.io.private_files import replace_secret
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


def add_key(file: Path) -> bytes:
    """Add a new key to the file of the pseudonym key atomically, and return what it holds then.

    The older keys stay: a pseudonym of the new key is made from that of the older ones.

    Raises
    ------
    Faults
        When the file has several lines that ``onroll`` did not write.
    """
    keys = generations(file.read_bytes().strip())
    if any(len(key.splitlines()) != 1 for key in keys):
        do = "Import everything again with a key of one line, such as that of 'openssl rand -hex 32'."
        raise Faults(Fault("a key of several lines, or an empty one, cannot be rotated", str(file), do))
    key = joined([*keys, secrets.token_hex(32).encode()])
    replace_secret(file, key + b"\n")
    return key
