"""What a list is worth to a team: the children it reaches in a year, compared with present practice, in words and as a table."""

from __future__ import annotations

from typing import Any

from features.groups.disclosure import HIDDEN, SMALLEST, rounded
from training.measures.decision_value import CAPACITIES, ONE_IN
from training.measures.evaluate import list_key
from training.papers.material import Material
from training.papers.paper import PaperTable
from training.papers.used import counted

TEAM = 25  # children on each authority's list, as elsewhere in the report
PRESENT = (
    "Present practice is not recorded in the histories. It is taken to be: only children who have already stopped coming are reviewed, longest "
    "absent first, as many as the capacity allows. Net benefit, in children a year, is the children reached less the cost of the other reviews; "
    "at 1 in 20, twenty reviews for one child reached are just worth it."
)


def in_words(m: Material) -> list[str]:
    """Return sentences about the children reached in a year at a team's capacity; none if the run did not measure it."""
    decision = m.figures.get("decision")
    if not decision:
        return []
    at, lists = decision[list_key(TEAM)], decision["lists_a_year"]
    reached, present = (_reached(m, decision, at[name]) for name in ("model", "present"))
    if reached is None or present is None:
        return [
            f"How many children lists of {TEAM} reach in a year is hidden ({HIDDEN}): too few went missing on the test days."
        ]
    sentences = [
        f"With {lists:.0f} lists a year of {TEAM} children in each authority, about {counted(at['model']['reviewed'])} children a year are reviewed and {reached:.0f} of those who go missing "
        f"are reached {_between(at['model'])}. Reviewing only children who have already stopped coming, longest absent first, reaches {present:.0f} {_between(at['present'])}."
    ]
    low, high = at["lead"]["reached_interval"]
    if low is None or low <= 0 <= high:
        sentences.append("The difference is within noise: these data do not show that the list reaches more children.")
    else:
        more = "more" if low > 0 else "fewer"
        low, high = sorted((abs(low), abs(high)))
        sentences.append(f"The list reaches {more}: by {low:.0f} to {high:.0f} children a year (95% interval).")
    return sentences


def value(m: Material) -> PaperTable | None:
    """Return the children reached and the net benefit of a year of lists at several capacities; None if not measured."""
    decision = m.figures.get("decision")
    if not decision:
        return None
    headers = (
        "places on each list",
        "whose list",
        "reviewed a year",
        "reached a year (95% interval)",
        *(f"net benefit at 1 in {n} (95% interval)" for n in ONE_IN),
    )
    rows = []
    for capacity in CAPACITIES:
        for name, title in (("model", "the model's"), ("present", "present practice")):
            figures = decision[list_key(capacity)][name]
            reached, benefit = _reached(m, decision, figures), worth(m, decision, figures)
            cells = [HIDDEN] * (1 + len(ONE_IN))
            if reached is not None and benefit:
                cells = [f"{reached:.0f} {_between(figures)}"]
                cells += [
                    f"{w:.0f} {_between(figures, f'net_benefit_1_in_{n}')}"
                    for w, n in zip(benefit, ONE_IN, strict=True)
                ]
            rows.append((str(capacity), title, counted(figures["reviewed"]), *cells))
    return PaperTable(headers, tuple(rows))


def worth(m: Material, decision: dict[str, Any], figures: dict[str, Any]) -> list[float] | None:
    """Return the net benefit of a year of lists at each exchange of ``ONE_IN``, from a rounded count; None if it is hidden."""
    reached = _reached(m, decision, figures)
    return None if reached is None else [reached - (figures["reviewed"] - reached) / (n - 1) for n in ONE_IN]


def _reached(m: Material, decision: dict[str, Any], figures: dict[str, Any]) -> float | None:
    """Return the children reached a year from a rounded count; None if few were reached, missed or reviewed in vain on the test days."""
    years = decision["judged_days"] / decision["lists_a_year"]
    hits, listed = figures["reached"] * years, figures["reviewed"] * years
    if min(hits, listed - hits, m.figures["positives"] - hits) <= SMALLEST:
        return None
    return rounded(round(hits)) / years


def _between(figures: dict[str, Any], name: str = "reached") -> str:
    low, high = figures[f"{name}_interval"]
    return "" if low is None else f"({low:.0f} to {high:.0f})"
