"""A training on a small population, and what its papers are written from."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from histories.reading.histories import Histories
from training.evaluation.extended import fairness_by_group, judged_with_groups
from training.papers import Authority, Material

FACTS = Path(__file__).parents[3] / "docs" / "authority.yaml"


@pytest.fixture(scope="session")
def trained(small_run):
    """A small population, trained on, with the groups of the deeper report."""
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
    """What a report opens and closes."""

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
    """Read a page of HTML, which must close all that it opens."""
    return _tags
