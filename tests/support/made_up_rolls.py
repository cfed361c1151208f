"""Histories of rolls, and the linkage store beside them, for made-up children; see ``made_up_people``."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.support.made_up_people import write

SPELL = ("pupil_id", "urn", "entry_date", "leaving_date", "destination", "recorded_on", "leaving_recorded_on")


def write_rolls(folder: Path, names: dict[str, list], spells: dict[str, dict[str, str]], register: list[dict]) -> None:
    """Write histories ``h``, their linkage store and ``persons.csv``; a pupil without a given spell has been on a roll since 2020."""
    write(folder, register, names)
    (folder / "h").mkdir()
    with (folder / "h" / "pupils.csv").open("w", newline="") as out:
        csv.writer(out).writerows([("pupil_id", "date_of_birth"), *zip(names["pupil_id"], names["dob"], strict=True)])
    with (folder / "h" / "enrolments.csv").open("w", newline="") as out:
        table = csv.DictWriter(out, SPELL, restval="")
        table.writeheader()
        for pupil in names["pupil_id"]:
            spell = {"entry_date": "2020-09-02", "recorded_on": "2020-10-01", **spells.get(pupil, {})}
            table.writerow({"pupil_id": pupil, "urn": "100001", **spell})
