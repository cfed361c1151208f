"""Write the matrix of routes and roles into ``docs/access.md``; with ``--check``, fail if it is out of date."""

from __future__ import annotations

import re
import sys

from histories.table_docs import DOCS, write
from serving.access.permissions import matrix

PAGE = DOCS / "access.md"
TABLE = re.compile(r"(?<=<!-- written by `make docs` -->\n```\n).*?(?=\n```)", re.DOTALL)


def page(text: str) -> str:
    """Return the page with the current matrix.

    Examples
    --------
    >>> "GET /livez" in page("<!-- written by `make docs` -->\\n```\\nold\\n```")
    True
    """
    return TABLE.sub(lambda _: matrix(), text)


if __name__ == "__main__":
    sys.exit(write(PAGE, page(PAGE.read_text(encoding="utf-8"))))
