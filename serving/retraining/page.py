"""The page for the person who decides: what a retrained version would change against the champion."""

from __future__ import annotations

from pathlib import Path

from histories.io.atomic_write import new_file
from histories.io.html import render
from serving.retraining.changes import APPROVAL, GROUP_FIGURES
from serving.retraining.retrain import Retrained
from training.bundle import Manifest
from training.fitting.helped import WORDS

TEMPLATE = Path(__file__).with_name("page.html")


def write_page(retrained: Retrained, champion: Manifest, out: Path) -> None:
    """Write the page as HTML, atomically; only its owner can read it, since figures of lists are exact.

    Parameters
    ----------
    champion : Manifest
        Of the champion.
    """
    recipe = retrained.registration.trained.recipe
    page = render(
        TEMPLATE,
        changes=retrained.changes,
        before=champion,
        after=retrained.registration.trained.manifest,
        helped={"words": WORDS[recipe["question"]["helped"]], **recipe["helped"]},
        alarms=retrained.alarms,
        set_aside=retrained.set_aside,
        approval=APPROVAL,
        group_figures=GROUP_FIGURES,
    )
    with new_file(out) as beside:
        beside.touch(mode=0o600)
        beside.write_text(page, encoding="utf-8")
