"""The linkage store: names, dates of birth, postcodes and links. It lies beside the histories, never inside them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from histories.errors import Fault, Faults
from histories.io.spreadsheet import read_csv, write_csv

PEOPLE = ("pupil_id", "upn", "forename", "surname", "dob", "sex", "postcode")
LINKS = ("person_id", "pupil_id", "probability", "how", "model")
TO_LINK = ("person_id", "forename", "surname", "dob", "sex", "postcode")
REVIEW = ("person_id", "pupil_id", "probability", "person", "pupil", "same")


@dataclass(frozen=True, kw_only=True)
class Link:
    """A person of another list and the linked pupil.

    Attributes
    ----------
    probability : float
        1.0 for a match by UPN and for a reviewed pair.
    how : str
        ``upn``, ``automatic`` or ``answered``.
    model : str
        Version of the linkage rules.
    """

    person_id: str
    pupil_id: str
    probability: float
    how: str
    model: str


class LinkageStore:
    """The folder ``<histories>.linkage``."""

    def __init__(self, histories: Path) -> None:
        self.folder = histories.parent / f"{histories.name}.linkage"

    @property
    def people(self) -> Path:
        """The names of pupils as returned by schools."""
        return self.folder / "people.parquet"

    @property
    def review(self) -> Path:
        """The pairs to review: yes or no in the column ``same``."""
        return self.folder / "review.csv"

    @property
    def to_link(self) -> Path:
        """Persons in returns without a UPN, as a list for ``onroll link``."""
        return self.folder / "to_link.csv"

    def add_to_link(self, persons: list[dict[str, str]]) -> int:
        """Add persons without a UPN to the list for ``onroll link``; return its length."""
        listed: dict[str, dict[str, str]] = {}
        if self.to_link.is_file():
            listed = {row["person_id"]: row for row in read_csv(self.to_link, TO_LINK)[1]}
        listed |= {row["person_id"]: row for row in persons}
        rows = [[listed[p].get(name, "") for name in TO_LINK] for p in sorted(listed)]
        write_csv(self.to_link, TO_LINK, rows)
        return len(listed)

    def links(self) -> list[Link]:
        """Return the links found so far."""
        file = self.folder / "links.csv"
        if not file.is_file():
            return []
        return [
            Link(
                person_id=r["person_id"],
                pupil_id=r["pupil_id"],
                probability=float(r["probability"]),
                how=r["how"],
                model=r["model"],
            )
            for r in read_csv(file, LINKS)[1]
        ]

    def review_rows(self) -> list[dict[str, str]]:
        """Return the pairs of the review file, reviewed (yes or no in ``same``) or open (empty).

        Raises
        ------
        Faults
            If an answer is not yes, no or empty.
        """
        if not self.review.is_file():
            return []
        rows = [{**row, "same": row["same"].strip().lower()} for row in read_csv(self.review, REVIEW)[1]]
        faults = [
            Fault("the answer is not yes, no or empty", f"{self.review}, line {n}, column same", "Write yes or no.")
            for n, row in enumerate(rows, start=2)
            if row["same"] not in ("", "yes", "no")
        ]
        if faults:
            raise Faults(faults)
        return rows

    def save(self, persons: set[str], links: list[Link], review: list[dict[str, str]]) -> None:
        """Write the links and open pairs of one list of persons; those of other lists, and all answers, are kept.

        Parameters
        ----------
        persons : set of str
            All persons of the list; their earlier links and open pairs are replaced.
        """
        kept = [k for k in self.links() if k.person_id not in persons]
        answered = [r for r in self.review_rows() if r["same"] or r["person_id"] not in persons]
        linked = sorted([*kept, *links], key=lambda k: (k.person_id, k.pupil_id))
        rows = [[k.person_id, k.pupil_id, k.probability, k.how, k.model] for k in linked]
        write_csv(self.folder / "links.csv", LINKS, rows)
        asked = [[row.get(name, "") for name in REVIEW] for row in (*answered, *review)]
        write_csv(self.review, REVIEW, asked)
