"""The verb ``train``: trains, and records the new version in the audit."""

from __future__ import annotations

from typing import Any

from serving.cli.recorded import recorded
from training.cli.train import train

verbs: list[Any] = [recorded(train)]
