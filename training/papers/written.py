"""Write the three papers and the report of a run."""

from __future__ import annotations

from training.papers import atrs, dpia, model_card
from training.papers.forms import ATRS, DPIA, MODEL_CARD
from training.papers.material import Material
from training.papers.paper import Form, Paper, Value
from training.papers.rendering import files, markdown
from training.papers.report_page import report_page

REPORT = "report.html"
IN_SHORT = (
    "details.type",
    "intended_use.primary",
    "intended_use.out_of_scope",
    "training_data.datasets",
    "quantitative.capacity",
    "quantitative.calibration",
    "caveats.limits",
)
FILLED = ((MODEL_CARD, model_card.values), (ATRS, atrs.values), (DPIA, dpia.values))


def write(material: Material) -> dict[str, Paper]:
    """Return the papers by name; fields without a value are reported as not provided."""
    return {
        form.name: Paper(form, material.title, {**_facts(form, material), **values(material)})
        for form, values in FILLED
    }


def files_of(material: Material) -> dict[str, str]:
    """Return the papers in every format, and the report if there is one, by file name."""
    report = {REPORT: report_page(material)} if material.report else {}
    return {**files(write(material)), **report}


def card_in_short(material: Material) -> str:
    """Return what a reader of the registry needs of the card, as Markdown: use, figures, calibration and limits."""
    card = write(material)["model_card"].to_dict()
    chosen = [
        {**s, "fields": [f for f in s["fields"] if f"{s['key']}.{f['key']}" in IN_SHORT]} for s in card["sections"]
    ]
    chosen.sort(key=lambda section: section["key"] == "quantitative")  # figures last: a long text is cut at its end
    return markdown({**card, "sections": [section for section in chosen if section["fields"]]})


def _facts(form: Form, material: Material) -> dict[str, Value]:
    return {f"{s.key}.{f.key}": material.facts[f.fact] for s in form.sections for f in s.fields if f.fact}
