"""The linkage store: names, dates of birth and postcodes, and the links found. It lies beside the histories, never in them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from histories.faults import Fault, Faults
from histories.writing import new_file

PEOPLE = ("pupil_id", "upn", "forename", "surname", "dob", "sex", "postcode")
LINKS = ("person_id", "pupil_id", "probability", "how", "model")
REVIEW = ("person_id", "pupil_id", "probability", "person", "pupil", "same")


@dataclass(frozen=True)
class Link:
    """A person of another list and the pupil it is.

    Attributes
    ----------
    probability : float
        1.0 for a UPN and for what a person answered.
    how : str
        ``upn``, ``automatic`` or ``answered``.
    model : str
        Version of the rules that made it.
    """

    person_id: str
    pupil_id: str
    probability: float
    how: str
    model: str


class LinkageStore:
    """Opens the folder ``<histories>.linkage``."""

    def __init__(self, histories: Path) -> None:
        self.folder = histories.parent / f"{histories.name}.linkage"

    @property
    def people(self) -> Path:
        """Names of pupils, as the rolls had them."""
        return self.folder / "people.parquet"

    @property
    def review(self) -> Path:
        """The pairs that a person has to answer: yes or no in the column ``same``."""
        return self.folder / "review.csv"

    def links(self) -> list[Link]:
        """Return the links found so far."""
        file = self.folder / "links.csv"
        if not file.is_file():
            return []
        with file.open(encoding="utf-8", newline="") as lines:
            return [
                Link(r["person_id"], r["pupil_id"], float(r["probability"]), r["how"], r["model"])
                for r in csv.DictReader(lines)
            ]

    def save(self, links: list[Link], review: list[dict[str, str]]) -> None:
        """Write links and pairs to answer: beside, then renamed."""
        with new_file(self.folder / "links.csv") as beside, beside.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(LINKS)
            writer.writerows([(k.person_id, k.pupil_id, k.probability, k.how, k.model) for k in links])
        with new_file(self.review) as beside, beside.open("w", encoding="utf-8", newline="") as out:
            table = csv.DictWriter(out, REVIEW)
            table.writeheader()
            table.writerows(review)

    def answers(self) -> dict[tuple[str, str], bool]:
        """Return what a person answered in the review file, by person and pupil.

        Raises
        ------
        Faults
            When an answer is neither yes, no nor empty.
        """
        if not self.review.is_file():
            return {}
        found, faults = {}, []
        with self.review.open(encoding="utf-8-sig", newline="") as lines:
            for n, row in enumerate(csv.DictReader(lines), start=2):
                said = (row.get("same") or "").strip().lower()
                if said not in ("", "yes", "no"):
                    faults.append(
                        Fault(
                            "the answer is neither yes, no nor empty",
                            f"{self.review}, line {n}, column same",
                            "Write yes or no.",
                        )
                    )
                elif said:
                    found[row["person_id"], row["pupil_id"]] = said == "yes"
        if faults:
            raise Faults(faults)
        return found
