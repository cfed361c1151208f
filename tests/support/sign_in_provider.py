"""An identity provider of tests that people sign in at: real HTTP on this machine, with faults to order."""

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import jwt

from tests.support.identity_provider import jwks, token

CLIENT, SECRET = "pages-client", "client+secret/of:tests"
DISCOVERY = "/.well-known/openid-configuration"


class Handler(BaseHTTPRequestHandler):
    """Answers by what ``self.server.state`` says."""

    def do_GET(self):
        state, parts = self.server.state, urlsplit(self.path)
        state.asked.append(self.path)
        if state.gate is not None:
            state.gate.wait(60)
        if parts.path == DISCOVERY:
            self._send(200, state.discovery)
        elif parts.path == "/keys":
            self._send(200, json.loads(jwks(state.signer)))
        elif parts.path == "/authorize":
            self._authorize(state, {name: value[0] for name, value in parse_qs(parts.query).items()})
        else:
            self._send(404, {})

    def _authorize(self, state, asked):
        code = f"code-{len(state.codes)}"
        state.codes[code] = asked
        self.send_response(302)
        self.send_header(
            "Location",
            f"{state.redirect or asked['redirect_uri']}?code={code}&state={asked['state']}&iss={state.issuer}",
        )
        self.end_headers()

    def do_POST(self):
        state = self.server.state
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        sent = {name: value[0] for name, value in form.items()}
        state.redeemed.append(SimpleNamespace(form=sent, authorization=self.headers.get("Authorization")))
        if state.silence is not None:
            state.silence.wait(60)
        if state.answer is not None:
            self._send(*state.answer)
            return
        asked = state.codes.pop(sent.get("code"), None)  # a code is redeemed once
        if asked is None or not self._is_the_client(state, sent) or not _proves(asked, sent):
            self._send(400, {"error": "invalid_grant"})
            return
        self._send(200, {"access_token": "x", "token_type": "Bearer", "id_token": state.make(state, asked)})

    def _is_the_client(self, state, sent):
        if state.secret is None:
            return sent.get("client_id") == CLIENT and "Authorization" not in self.headers
        pair = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        return pair == f"{CLIENT}:client%2Bsecret%2Fof%3Atests" or sent.get("client_secret") == SECRET

    def _send(self, status, content):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def _proves(asked, sent):
    digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return asked["code_challenge_method"] == "S256" and asked["code_challenge"] == challenge


def id_token(state, asked):
    """Return the ID token of ann."""
    claims = {"iss": state.issuer, "aud": CLIENT, "nonce": asked["nonce"], **state.person, **state.claims}
    return token(state.signer, without=state.without, **claims)


def unsigned(state, asked):
    """Return ann's ID token without a signature."""
    return jwt.encode(_payload(state, asked), None, "none", headers={"kid": "k1"})


def signed_with_the_public_key(state, asked):
    """Return ann's ID token, signed with the provider's public key as if it were a shared secret."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem = state.signer.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "kid": "k1", "typ": "JWT"}, _payload(state, asked))
    )
    code = base64.urlsafe_b64encode(
        jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(head + b"." + body, pem)
    )
    return b".".join((head, body, code.rstrip(b"="))).decode()


def _payload(state, asked):
    return jwt.decode(id_token(state, asked), options={"verify_signature": False})


@contextmanager
def provider(signer, *, secret=SECRET, host="127.0.0.1"):
    """Yield the state of a running provider: its ``issuer``, what it was asked, and what it answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = f"http://{host}:{server.server_port}"
    server.state = SimpleNamespace(
        issuer=issuer,
        signer=signer,
        secret=secret,
        codes={},
        asked=[],
        redeemed=[],
        answer=None,
        silence=None,  # an event, until which no code is redeemed
        gate=None,  # an event, until which no document is given
        redirect=None,
        make=id_token,
        claims={},
        without=(),
        person={"sub": "u-17", "name": "Ann Example", "roles": ["Onroll.Worker"], "groups": ["cme-801"]},
        discovery={
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "end_session_endpoint": f"{issuer}/logout",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        },
    )
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server.state
    finally:
        server.shutdown()
        server.server_close()
