"""The worked example for Entra ID behind oauth2-proxy: its files load, and agree on names of headers, secrets and paths."""

import re
import shutil
import tomllib
from ipaddress import ip_address, ip_network

import pytest
import yaml

from serving.access.configuration import Configuration
from tests.support.checkout import ROOT

EXAMPLE = ROOT / "deploy" / "entra"
NGINX = (EXAMPLE / "nginx.conf").read_text("utf-8")
README = (EXAMPLE / "README.md").read_text("utf-8")
OAUTH2_PROXY = tomllib.loads((EXAMPLE / "oauth2-proxy.cfg").read_text("utf-8"))


class Overlay(yaml.SafeLoader):
    """A reader that knows Compose's tag for taking a setting of the first file away."""


Overlay.add_constructor("!reset", lambda loader, node: RESET)
RESET = object()
COMPOSE = yaml.load((EXAMPLE / "compose.yaml").read_text("utf-8"), Overlay)
ON_EVERY_PATH_TO_ONROLL = ("/", "/api/")
SECRET = 'X-Onroll-Proxy-Secret "%s";'  # as the README writes it into edge-secret.conf


@pytest.fixture(scope="module")
def access(tmp_path_factory):
    folder = tmp_path_factory.mktemp("entra")
    shutil.copy(EXAMPLE / "access.toml", folder)
    (folder / "proxy.secret").write_text("s" * 64)
    (folder / "proxy.secret").chmod(0o600)
    return Configuration.load(folder / "access.toml")


def location(path):
    """Return what nginx does for a path."""
    return re.search(rf"location (?:= )?{re.escape(path)} {{(.*?)\n  }}", NGINX, re.DOTALL)[1]


def sent(path):
    """Return the headers that nginx sets for a path, with their values."""
    return dict(re.findall(r"^\s*proxy_set_header (\S+)\s+(.*);", location(path), re.MULTILINE))


def test_every_header_that_the_service_trusts_is_set_by_the_edge_on_every_path(access):
    proxy = access.proxy
    trusted = [h for h in (proxy.user_header, proxy.groups_header, proxy.roles_header, proxy.name_header) if h]
    asked = re.findall(r"proxy_pass http://onroll;", NGINX)
    assert len(asked) == len(ON_EVERY_PATH_TO_ONROLL)
    assert {sent("/")[h] for h in trusted} == {"$person", "$names", "$called"}
    assert "include /etc/nginx/edge-secret.conf;" in location("/")
    assert SECRET.startswith(proxy.secret_header)
    assert f"proxy_set_header {SECRET}" in README
    for header in (*trusted, proxy.secret_header):
        assert sent("/api/")[header] == '""', "nobody speaks for a program"
    assert sent("/")["Authorization"] == '""'


def test_what_the_edge_takes_from_oauth2_proxy_is_what_that_is_told_to_send(access):
    taken = dict(re.findall(r"auth_request_set (\$\w+)\s+\$upstream_http_(\w+);", location("/")))
    assert taken == {
        "$person": "x_auth_request_user",
        "$names": "x_auth_request_groups",
        "$called": "x_auth_request_preferred_username",
    }
    assert OAUTH2_PROXY["set_xauthrequest"] is True
    assert OAUTH2_PROXY["reverse_proxy"] is True
    assert OAUTH2_PROXY["oidc_groups_claim"] == "roles"
    assert OAUTH2_PROXY["code_challenge_method"] == "S256"
    assert access.proxy.roles_header == access.proxy.groups_header, "app roles come in one header"
    assert not set(access.roles) & set(access.groups)


def test_the_roles_of_one_person_give_one_caller(access):
    names = ["Onroll.Lead", "Onroll.Children.801"]
    caller = access.caller("proxy", "sub-of-ann", names, names)
    assert (caller.role, caller.authority, caller.names) == ("lead", "801", True)


def test_every_file_and_secret_that_the_compose_file_names_is_there_or_made_by_the_readme(access):
    services = COMPOSE["services"].values()
    mounts = [v.split(":")[0].removeprefix("./") for s in services for v in s.get("volumes", ())]
    files = [
        *mounts,
        *(s["file"] for s in COMPOSE["secrets"].values()),
        *(f for s in services for f in s.get("env_file", ())),
    ]
    for file in files:
        name = file.removeprefix("secrets/")
        assert (ROOT / "deploy" / file).is_file() or name in README, file
    assert "/etc/onroll/" + access.proxy.secret_file in str(COMPOSE["services"]["onroll"]["volumes"])
    settings = COMPOSE["services"]["onroll"]["environment"]
    assert settings["ONROLL_ACCESS"] == "/etc/onroll/access.toml"
    assert set(settings) == {"ONROLL_ACCESS", "FORWARDED_ALLOW_IPS"}
    for inside in ("/livez  ", "/readyz ", "/metrics"):
        assert f"location = {inside} {{ return 404; }}" in NGINX


def test_the_service_is_reached_through_the_edge_only():
    """Compose adds up the ports of its files: without the tag, 3000 stays open on the host beside the edge."""
    first = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))["services"]
    assert first["onroll"]["ports"], "or there is nothing to take away"
    assert COMPOSE["services"]["onroll"]["ports"] is RESET
    assert {name for name, s in COMPOSE["services"].items() if s.get("ports", RESET) is not RESET} == {"edge"}
    assert "Docker Compose 2.24.4 or newer" in README


def test_the_service_believes_the_edge_alone_where_a_request_comes_from():
    """Before, every address of the audit was the edge's, and a whole office had the limits of one address."""
    first = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))
    edge = COMPOSE["services"]["edge"]["networks"]
    assert set(edge) & set(first["services"]["onroll"]["networks"]) == set(edge)
    trusted = COMPOSE["services"]["onroll"]["environment"]["FORWARDED_ALLOW_IPS"].split(",")
    assert trusted == [edge[name]["ipv4_address"] for name in edge]
    for name, address in zip(edge, trusted, strict=True):
        (network,) = first["networks"][name]["ipam"]["config"]
        assert ip_address(address) in ip_network(network["subnet"])
        assert ip_address(address) not in ip_network(network["ip_range"]), "another container could get it"
    for path in ON_EVERY_PATH_TO_ONROLL:
        assert sent(path)["X-Forwarded-For"] == "$remote_addr", "what a client sends under this name is replaced"


def test_signing_in_leads_back_to_the_whole_address():
    """Before, the address stood bare in another's query, which ended at its first '&'."""
    assert "rd=" not in NGINX
    assert re.search(r"error_page 401 = /oauth2/start;", location("/"))
    assert sent("/oauth2/")["X-Auth-Request-Redirect"] == "$request_uri"
    assert OAUTH2_PROXY["oidc_email_claim"] == "preferred_username", "accounts without mail sign in, too"
