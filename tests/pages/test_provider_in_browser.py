"""Signing in at the provider in a browser: there and back between two sites, with cookies as browsers keep them."""

import pytest

from serving.cli.running import running
from tests.support import sign_in_provider
from tests.support.checkout import ROOT
from tests.support.identity_provider import signing_key
from tests.support.sign_in_provider import CLIENT
from tests.support.signing_in import ACCESS


@pytest.mark.prove
def test_who_signs_in_comes_back_to_the_page_that_was_asked_for(tmp_path, bundle, page):
    """The provider is ``localhost`` and the service 127.0.0.1: two sites, so that a strict cookie stays behind at first."""
    with sign_in_provider.provider(signing_key(), secret=None, host="localhost") as state:
        access = ACCESS.format(issuer=state.issuer, client=CLIENT, sign_in="", tokens="")
        (tmp_path / "access.toml").write_text(access)
        environment = {"ONROLL_MODEL": str(bundle), "ONROLL_ACCESS": "access.toml", "PYTHONPATH": str(ROOT)}
        with running(tmp_path / "service.log", tmp_path, environment) as url:
            state.redirect = f"{url}/sign-in/callback"  # the port is known only now
            addresses = []
            page.on("framenavigated", lambda frame: addresses.append(frame.url))
            page.goto(f"{url}/clocks")
            assert page.url == f"{url}/sign-in?next=/clocks"
            page.get_by_role("button", name="Sign in with your work account").click()
            page.wait_for_url("**/clocks")
            assert "Ann Example" in page.locator("header").inner_text()
            assert not any("code=" in address for address in addresses)
            page.get_by_role("button", name="Sign out").click()
            assert page.get_by_role("link", name="Sign out there too").get_attribute("href").startswith(state.issuer)
            page.goto(f"{url}/clocks")
            assert page.url.startswith(f"{url}/sign-in")
        log = (tmp_path / "service.log").read_text()
        assert "code-0" not in log
        assert "state=" not in log
