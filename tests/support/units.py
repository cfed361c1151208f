"""The units of systemd that the project ships, read as settings."""

from tests.support.checkout import ROOT

DEPLOY = ROOT / "deploy"


def unit(name="onroll.service"):
    """Return a unit's settings, each with all its values in order."""
    sections = {}
    for line in (DEPLOY / name).read_text("utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            sections.setdefault(key, []).append(value)
    return sections
