"""An identity provider of tests: its signing key, its published keys and its tokens."""

import json
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER, AUDIENCE, KEY_ID = "https://id.example", "onroll", "k1"


def signing_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwks(key, *names, **more):
    """Return the published keys as JSON: one key under each name."""
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return json.dumps({"keys": [{**public, "kid": name, **more} for name in names or (KEY_ID,)]})


def token(key, lifetime=timedelta(minutes=5), *, without=(), header=None, **claims):
    """Return a signed token of ann; the claims named in ``without`` are left out, ``header`` is added to that of the token.

    A claim that is a timedelta becomes the time so far from now.
    """
    now = datetime.now(UTC)
    standard = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + lifetime}
    given = {
        name: int((now + value).timestamp()) if isinstance(value, timedelta) else value
        for name, value in (standard | claims).items()
        if name not in without
    }
    return jwt.encode(given, key, "RS256", headers={"kid": KEY_ID, **(header or {})})


@contextmanager
def silent_provider():
    """Yield the address of a provider that accepts and says nothing, and the connections it has accepted."""
    accepted = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept():
            try:
                while True:
                    accepted.append(listener.accept()[0])
            except OSError:
                pass

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/keys", accepted
        listener.shutdown(socket.SHUT_RDWR)
    for connection in accepted:
        connection.close()
