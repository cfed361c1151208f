"""Encryption of personal details: AES-256-GCM with random nonces, each row bound to its pupil, the keys in a file of their own."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from histories.errors import Fault, Faults
from histories.identity import generations
from histories.settings import Settings

NONCE = 12  # bytes
BLOCK = 128  # bytes: texts are padded to a multiple, so that their length says little
MIN_LENGTH = 32  # characters of a key
SETTING = "ONROLL_PEOPLE_KEY_FILE"
PURPOSE = b"onroll personal details"


class Unreadable(Faults):
    """A row was encrypted with another key, for another pupil, or was changed since."""

    def __init__(self) -> None:
        do = f"Name the file with the key that encrypted it in {SETTING}, or import the people file again."
        super().__init__(Fault("personal details cannot be decrypted", "personal_details", do))


class Cipher:
    """Encrypts with the newest key, and decrypts with every key.

    Parameters
    ----------
    keys : sequence of bytes
        Oldest first.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {_key_id(key): AESGCM(_derived(key)) for key in keys}
        self.newest = _key_id(keys[-1])

    @property
    def key_ids(self) -> frozenset[str]:
        """The ids of all keys."""
        return frozenset(self._ciphers)

    def seal(self, pupil_id: str, text: bytes) -> bytes:
        """Encrypt a text for a pupil with the newest key."""
        nonce = secrets.token_bytes(NONCE)
        padded = text.ljust(-(-len(text) // BLOCK) * BLOCK)
        return nonce + self._ciphers[self.newest].encrypt(nonce, padded, pupil_id.encode())

    def unseal(self, key_id: str, pupil_id: str, sealed: bytes) -> bytes:
        """Decrypt a pupil's text; blanks may follow it.

        Raises
        ------
        Unreadable
            When the key is not among these, or the row is not this pupil's as it was written.
        """
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise Unreadable
        try:
            return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], pupil_id.encode())
        except (InvalidTag, ValueError):
            raise Unreadable from None


def cipher_of(settings: Settings) -> Cipher | None:
    """Return the cipher of the key file that the settings name, or None if they name none.

    Raises
    ------
    Faults
        When a key is too short, is used for something else too, or lies with the database.
    """
    file = settings.people_key_file
    if file is None:
        return None
    keys = [line.strip() for line in file.read_bytes().splitlines() if line.strip()]
    if not keys or any(len(key) < MIN_LENGTH for key in keys):
        do = f"Use at least {MIN_LENGTH} random characters on each line, such as those of 'openssl rand -hex 32'."
        raise Faults(Fault("the key of the people file is missing or too short", f"{SETTING}, {file}", do))
    if set(keys) & _other_keys(settings):
        do = "Make a key of its own with 'openssl rand -hex 32': people who hold the other key must not read names."
        raise Faults(Fault("the key of the people file is used for something else too", f"{SETTING}, {file}", do))
    url = sa.make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        keep_away(file, Path(url.database).absolute().parent)
    return Cipher(keys)


def keep_away(file: Path | None, folder: Path) -> None:
    """Refuse a key file inside a folder with data.

    Raises
    ------
    Faults
        When it lies there: backups and copies of the folder would carry the key along.
    """
    if file is not None and file.resolve().is_relative_to(folder.resolve()):
        do = f"Move it to a folder that is not backed up or shared with the data, and change {SETTING}."
        raise Faults(Fault("the key of the people file lies with the data that it protects", str(file), do))


def _other_keys(settings: Settings) -> set[bytes]:
    audit = settings.audit_key
    content = audit.read_bytes() if isinstance(audit, Path) else audit or b""
    pseudonyms = generations(settings.pseudonym_key) if settings.pseudonym_key else ()
    return {line.strip() for line in (*content.splitlines(), *pseudonyms) if line.strip()}


def _derived(key: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(key)


def _key_id(key: bytes) -> str:
    """Return an id that says nothing about the key."""
    return hashlib.sha256(b"id of " + _derived(key)).hexdigest()[:16]
