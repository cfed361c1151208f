"""The section [sign_in] of the access file: what is missing, wrong or open to others is named."""

import pytest

from histories.errors import Faults
from serving.access.configuration import Configuration
from tests.support.sign_in_provider import CLIENT, SECRET
from tests.support.signing_in import ACCESS, CONFIDENTIAL

FAULTY = {
    "sign_in.token_endpoint": 'authorization_endpoint = "https://id.example/a"',
    "sign_in.authorization_endpoint": 'token_endpoint = "https://id.example/a"',
    "sign_in.end_session_endpoint": 'end_session_endpoint = "http://id.example/out"',
    "sign_in.scopes": 'scopes = ["profile"]',
    "client.key": 'client_secret_file = "client.key"',
    "sign_in.client_authentication": 'client_authentication = "none"',
    "sign_in.client_secret": 'client_secret = "in the file itself"',
    "development": "[development]\nann = {role = 'analyst', authority = '801'}",
}


@pytest.mark.parametrize("place", FAULTY)
def test_what_is_missing_or_wrong_in_the_settings_is_named(tmp_path, place):
    base = ACCESS.format(issuer="https://id.example", client=CLIENT, sign_in=FAULTY[place], tokens="")
    assert place in faults_of(tmp_path, base)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("http://127.0.0.1/sign-in/callback", "http://onroll.example/sign-in/callback", "sign_in.redirect_uri"),
        ("/sign-in/callback", "/elsewhere", "sign_in.redirect_uri"),
        ("http://127.0.0.1/", "https://user@onroll.example/", "sign_in.redirect_uri"),
        ("http://127.0.0.1/sign-in", "https://[::1/sign-in", "sign_in.redirect_uri"),
        ("http://127.0.0.1/sign-in", "https://onroll.example:99999/sign-in", "sign_in.redirect_uri"),
        ('audience = "onroll"', f'audience = "{CLIENT}"', "tokens.token_type"),
        ('audience = "onroll"', f'audience = "{CLIENT}"\ntoken_type = "application/JWT"', "tokens.token_type"),
        ('client_id = "pages-client"', "", "sign_in.client_id"),
        ('redirect_uri = "http://127.0.0.1/sign-in/callback"', "", "sign_in.redirect_uri"),
        ('issuer = "https://id.example"', 'issuer = "http://id.example"', "tokens.issuer"),
    ],
    ids=range(10),
)
def test_what_must_be_there_is_asked_for_by_name(tmp_path, old, new, place):
    sound = ACCESS.format(issuer="https://id.example", client=CLIENT, sign_in="", tokens="")
    assert faults_of(tmp_path, sound) == ""
    assert place in faults_of(tmp_path, sound.replace(old, new))


def test_signing_in_needs_the_providers_tokens(tmp_path):
    sound = ACCESS.format(issuer="https://id.example", client=CLIENT, sign_in="", tokens="")
    assert "access.toml, tokens" in faults_of(tmp_path, sound[sound.index("[sign_in]") :])


def test_one_name_for_client_and_audience_needs_the_type_of_access_tokens(tmp_path):
    sound = ACCESS.format(issuer="https://id.example", client=CLIENT, sign_in="", tokens='token_type = "at+jwt"')
    assert faults_of(tmp_path, sound.replace('"onroll"', f'"{CLIENT}"')) == ""


def test_a_secret_that_others_can_read_is_refused(tmp_path):
    sound = ACCESS.format(issuer="https://id.example", client=CLIENT, sign_in=CONFIDENTIAL, tokens="")
    (tmp_path / "client.secret").write_text(SECRET)
    (tmp_path / "client.secret").chmod(0o644)
    assert "client.secret" in faults_of(tmp_path, sound)
    (tmp_path / "client.secret").chmod(0o600)
    assert faults_of(tmp_path, sound) == ""


def faults_of(folder, text):
    (folder / "access.toml").write_text(text)
    try:
        Configuration.load(folder / "access.toml")
    except Faults as faults:
        return " ".join(fault.where for fault in faults.faults)
    return ""
