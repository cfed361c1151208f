"""Where this checkout lies, for tests that start programs of it or read its documents."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
