"""Claims of tokens and proxies: groups give no roles, and accounts have plausible names."""

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from histories.errors import Faults
from serving.access.configuration import Configuration
from serving.access.proxy import TrustedProxy
from serving.access.tokens import Tokens
from serving.cli.main import onroll
from serving.http.problems import Problem
from tests.support.identity_provider import jwks, signing_key, token

SECRET = "s" * 40
FILE = """
[tokens]
issuer = "https://id.example"
audience = "onroll"
jwks = "jwks.json"
clients = ["portal"]
[proxy]
secret_file = "secret"
roles_header = "X-Forwarded-Roles"
separator = ";"
[roles]
"Onroll.Worker" = "worker"
"Onroll.Admin" = "administrator"
[groups]
"cme-801" = {authority = "801"}
"cme-802" = {authority = "802"}
"""


@pytest.fixture(scope="module")
def signer():
    return signing_key()


@pytest.fixture(scope="module")
def ways(tmp_path_factory, signer):
    folder = tmp_path_factory.mktemp("access")
    (folder / "jwks.json").write_text(jwks(signer))
    (folder / "secret").write_text(SECRET)
    (folder / "access.toml").write_text(FILE)
    configuration = Configuration.load(folder / "access.toml")
    return Tokens(configuration.tokens, configuration), TrustedProxy(configuration.proxy, configuration)


@pytest.fixture(scope="module")
def by_token(ways, signer):
    def called(**changes):
        claims = {"sub": "u1", "roles": ["Onroll.Worker"], "groups": ["cme-801"], **changes}
        return ways[0].caller(request(Authorization=f"Bearer {token(signer, **claims)}"))

    return called


def request(**headers):
    pairs = [(name.replace("_", "-").lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "headers": pairs})


def refused(call, **claims):
    with pytest.raises(Problem) as problem:
        call(**claims)
    return problem.value.status


def test_a_group_never_gives_a_role(by_token):
    assert by_token(groups=["cme-801", "Onroll.Admin"]).role == "worker"
    assert refused(by_token, roles=[], groups=["Onroll.Admin"]) == 403


def test_a_role_never_gives_an_authority(by_token):
    assert refused(by_token, roles=["Onroll.Worker", "cme-801"], groups=[]) == 403


def test_names_are_compared_whole(by_token, ways):
    for name in ("cme-801 ", "CME-801", "cme-801,cme-802", "x,cme-801", "cme-8012"):
        assert refused(by_token, groups=[name]) == 403
    for name in ("Onroll.Worker,Onroll.Admin", "x;Onroll.Admin"):
        assert refused(by_token, roles=[name]) == 403
    headers = {"X_Onroll_Proxy_Secret": SECRET, "X_Forwarded_User": "ann", "X_Forwarded_Roles": "Onroll.Worker"}
    assert ways[1].caller(request(**headers, X_Forwarded_Groups="a,cme-802; cme-801")).authority == "801"
    assert ways[1].caller(request(**headers, X_Forwarded_Groups="cme-801;Onroll.Admin")).role == "worker"


@pytest.mark.parametrize(
    "claims",
    [
        {"azp": "another application"},
        {"azp": ""},
        {"azp": ["onroll"]},
        {"azp": None},
        {"aud": ["onroll", "another"]},
        {"exp": timedelta(hours=25)},
        {"exp": datetime(9999, 1, 1, tzinfo=UTC)},
        {"exp": 1e300},
        {"exp": float("inf")},
        {"sub": ""},
        {"sub": " "},
        {"sub": "a\nb"},
        {"sub": "a\0b"},
        {"sub": "\u202e"},
        {"sub": "a" * 151},
        {"sub": 5},
    ],
    ids=range(16),
)
def test_claims_that_no_provider_makes_are_refused(by_token, claims):
    assert refused(by_token, **claims) == 401


def test_the_audience_itself_or_a_named_client_may_have_asked(by_token):
    for azp in ("onroll", "portal"):
        assert by_token(azp=azp, aud=["onroll", "another"]).key_id == "token:u1"


@given(st.text())
def test_a_name_reaches_the_store_only_if_valid(ways, user):
    configuration = ways[1].rights
    fits = user.isascii() and user.isprintable() and " " not in user and 0 < len(user) <= 150
    if not fits:
        with pytest.raises(Problem):
            configuration.caller("token", user, ["Onroll.Worker"], ["cme-801"])
        return
    assert configuration.caller("token", user, ["Onroll.Worker"], ["cme-801"]).key_id == f"token:{user}"


STRICT = """token_type = "at+jwt"
signed_in_hours = 10
requires = {amr = ["mfa", "hwk"], scope = ["onroll.use"]}
[proxy]"""
SOUND = {"amr": ["pwd", "mfa"], "scope": "openid onroll.use", "auth_time": -timedelta(minutes=1)}


@pytest.fixture(scope="module")
def strict(tmp_path_factory, signer):
    folder = tmp_path_factory.mktemp("strict")
    (folder / "jwks.json").write_text(jwks(signer))
    (folder / "secret").write_text(SECRET)
    (folder / "access.toml").write_text(FILE.replace("[proxy]", STRICT))
    configuration = Configuration.load(folder / "access.toml")
    tokens = Tokens(configuration.tokens, configuration)

    def called(kind="at+jwt", without=(), **changes):
        claims = {"sub": "u1", "roles": ["Onroll.Worker"], "groups": ["cme-801"], **SOUND, **changes}
        sent = token(signer, header={"typ": kind}, without=without, **claims)
        return tokens.caller(request(Authorization=f"Bearer {sent}"))

    return called


def test_a_token_with_all_that_the_authority_requires_is_accepted(strict):
    for claims in ({}, {"kind": "application/AT+JWT"}, {"amr": "hwk"}, {"scope": ["onroll.use"]}):
        assert strict(**claims).role == "worker"


def test_a_proxy_must_name_the_header_of_roles(tmp_path):
    """Before, without it, a group of the proxy with the name of a role made an administrator."""
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "access.toml").write_text(FILE.replace('roles_header = "X-Forwarded-Roles"\n', ""))
    with pytest.raises(Faults, match=r"proxy.roles_header.*\n?.*Write the header with people's roles"):
        Configuration.load(tmp_path / "access.toml")


def test_one_header_of_roles_and_groups_is_warned_of(tmp_path, monkeypatch, caplog):
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    file = tmp_path / "access.toml"
    monkeypatch.setenv("ONROLL_ACCESS", str(file))
    for text, warned in ((FILE, 0), (FILE.replace("X-Forwarded-Roles", "x-forwarded-groups"), 1)):
        file.write_text(text[text.index("[proxy]") :])
        configuration = Configuration.load(file)
        TrustedProxy(configuration.proxy, configuration)
        checked = CliRunner().invoke(onroll, ["access", "check"])
        assert (checked.exit_code, checked.output.count("gives that role")) == (0, warned)
        assert caplog.text.count("gives that role") == warned


@pytest.mark.parametrize(
    "claims",
    [
        {"kind": "JWT"},
        {"kind": None},
        {"kind": "at+jwt2"},
        {"amr": ["pwd"]},
        {"amr": "mfa2"},
        {"amr": {"mfa": True}},
        {"scope": "openid onroll.used"},
        {"scope": ""},
        {"auth_time": -timedelta(hours=11)},
        {"auth_time": timedelta(hours=1)},
        {"auth_time": True},
        {"auth_time": float("nan")},
        *({"without": (claim,)} for claim in SOUND),
    ],
    ids=range(15),
)
def test_a_token_without_what_the_authority_requires_is_refused(strict, claims):
    """Before, an ID token, a sign-in of last week and one of a single factor were as good as any."""
    assert refused(strict, **claims) == 401


def test_the_time_of_the_sign_in_as_text_is_refused(strict):
    now = datetime.now(UTC).timestamp()
    assert strict(auth_time=now).role == "worker"
    assert refused(strict, auth_time=str(now)) == 401


def test_without_requirements_such_a_token_is_accepted(by_token):
    assert by_token(amr=["pwd"]).role == "worker"
