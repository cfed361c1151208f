"""Ed25519 signatures of the promotion log's lines: a service that verifies them cannot create them."""

from __future__ import annotations

import re

import jwt

from histories.errors import Fault, Faults

ALGORITHM = "EdDSA"
PUBLIC_KEY = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


def sign(line_hash: str, private_key: bytes) -> str:
    """Return the signature of a line's hash, as a compact JWS.

    Raises
    ------
    Faults
        If the key is not an Ed25519 private key in PEM.
    """
    try:
        return jwt.encode({"hash": line_hash}, private_key, algorithm=ALGORITHM)
    except (ValueError, TypeError, jwt.PyJWTError):
        do = "Create one with 'openssl genpkey -algorithm ed25519'."
        raise Faults(Fault("this is not an Ed25519 private key", "ONROLL_SIGNING_KEY_FILE", do)) from None


def is_signed(line_hash: str, signature: str, public_keys: bytes) -> bool:
    """Return whether one of the public keys (concatenated PEM) verifies the signature of a line's hash.

    Raises
    ------
    Faults
        If there is no public key.
    """
    keys = PUBLIC_KEY.findall(public_keys)
    if not keys:
        do = "Write it with 'openssl pkey -in KEY -pubout'."
        raise Faults(Fault("there is no public key", "ONROLL_VERIFY_KEY_FILE", do))
    return any(_verifies(line_hash, signature, key) for key in keys)


def _verifies(line_hash: str, signature: str, key: bytes) -> bool:
    try:
        return jwt.decode(signature, key, algorithms=[ALGORITHM]).get("hash") == line_hash
    except (ValueError, TypeError, jwt.PyJWTError):
        return False
