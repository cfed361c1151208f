"""Pages for people who work with children: server-rendered, without a script, behind the same door as the interface.

Start reading at ``mount.py``, then ``rendering.py``; every word is in ``wording/en.toml``.
"""

from serving.pages.router import mount

__all__ = ["mount"]
