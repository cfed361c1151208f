"""Every word is in the catalogue, is used, and is said plainly."""

import re
from pathlib import Path

import pytest

import serving.pages
from features.catalogue import THEMES
from histories.tables import TABLES
from serving.background.crossings import STATES
from serving.pages.case import DOING
from serving.pages.settings import PageSettings
from serving.pages.wording import Wording

HERE = Path(serving.pages.__file__).parent
WORDS = Wording.load("en").messages
TEMPLATES = {f.name: f.read_text() for f in (HERE / "templates").glob("*.html")}
CODE = "\n".join([*TEMPLATES.values(), *(f.read_text() for f in HERE.rglob("*.py"))])


def test_every_message_that_a_page_asks_for_is_there():
    asked = set(re.findall(r"""\bt\("([a-z_0-9]+\.[a-z_0-9]+)"[,)]""", CODE)) | set(
        re.findall(r"""\bw\("([a-z_]+\.[a-z_0-9]+)"[,)]""", CODE)
    )
    assert asked - WORDS.keys() == set()
    assert len(asked) > 150
    made = {f"table.{name}" for name in TABLES} | {f"clock.{kind}" for kind in PageSettings.load(None).clocks}
    made |= {f"transition.{state}" for state in STATES} | {f"case.done_{what}" for what in DOING}
    assert made - WORDS.keys() == set()


def test_no_message_is_left_that_nobody_says():
    # `t("pupil." ~ word)` and `w(f"case.done_{what}")` make the rest of a name.
    starts = [
        *re.findall(r"""t\("([a-z_]+\.[a-z_]*)" ~""", CODE),
        *re.findall(r"""[ws]\(f"([a-z_]+\.[a-z_]*)\{""", CODE),
    ]
    starts += ["time.month_", "refused.t", "work_list.all_", "clock."]
    left = [key for key in WORDS if f'"{key}"' not in CODE and not any(key.startswith(s) for s in starts)]
    assert [key for key in left if not key.endswith(".menu")] == []


def test_templates_say_nothing_themselves():
    for name, text in TEMPLATES.items():
        assert re.findall(r"[\w\"]>([^<>{}]*[A-Za-z]{2,}[^<>{}]*)<", text) == [], name


def test_nothing_is_said_to_be_because_of_something():
    texts = [
        *WORDS.values(),
        *(
            w
            for words in PageSettings.load(None).model_dump().values()
            if isinstance(words, dict)
            for w in map(str, words.values())
        ),
    ]
    for text in texts:
        assert not re.search(r"\b(because|caused?|due to|predict|risk of harm|truan)", text, re.IGNORECASE), text


@pytest.mark.parametrize("key", sorted(WORDS))
def test_sentences_are_short_and_words_plain(key):
    for sentence in re.split(r"[.:?] ", WORDS[key]):
        assert len(sentence.split()) <= 25, sentence
    assert "utilis" not in WORDS[key]


def test_no_theme_is_a_protected_characteristic():
    assert not re.search(r"ethnic|sex|gender|relig|language|disab", " ".join(THEMES.values()), re.IGNORECASE)
