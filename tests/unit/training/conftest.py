"""A training run on a small population, and the material of its papers."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from histories.reading.histories import Histories
from training.evaluation.extended import fairness_by_group, judged_with_groups
from training.papers import Authority, Material

FACTS = Path(__file__).parents[3] / "docs" / "authority.yaml"


@pytest.fixture(scope="session")
def trained(small_run):
    """A training run on a small population, with the extended report's groups."""
    folder, task, result = small_run
    histories = Histories.open(folder)
    return (
        histories,
        task,
        result,
        {"fairness": fairness_by_group(result, judged_with_groups(histories, task, result), 1)},
    )


@pytest.fixture(scope="session")
def material(trained):
    histories, task, result, groups = trained
    return Material.of(histories, task, result, facts=Authority.load(FACTS), run_id="f" * 32, report=groups)


class Tags(HTMLParser):
    """Collects the tags of an HTML page."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.headings = [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def _tags(text):
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    return tags


@pytest.fixture
def tags():
    """Parse an HTML page, which must close every tag."""
    return _tags
