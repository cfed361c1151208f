"""Every message is in the wording, is used, and is easy to read."""

import html
import re
from pathlib import Path

import pytest

import serving.pages
from features.catalogue import catalogue
from features.outcome.definition import Definition
from histories.codes import attendance_codes
from histories.tables import TABLES
from serving.casework.transitions import STATES
from serving.pages.case_forms import FORMS
from serving.pages.settings import PageSettings
from serving.pages.wording import Wording
from serving.store.cases.cases import KINDS

HERE = Path(serving.pages.__file__).parent
WORDS = Wording.load("en").messages
TEMPLATES = {f.name: f.read_text() for f in (HERE / "templates").glob("*.html")}
CODE = "\n".join([*TEMPLATES.values(), *(f.read_text() for f in HERE.rglob("*.py"))])


def test_every_message_that_a_page_asks_for_is_there():
    used = set(re.findall(r"""\bt\("([a-z_0-9]+\.[a-z_0-9]+)"[,)]""", CODE)) | set(
        re.findall(r"""\b(?:w|words)\("([a-z_]+\.[a-z_0-9]+)"[,)]""", CODE)
    )
    assert used - WORDS.keys() == set()
    assert len(used) > 150
    composed = {f"table.{name}" for name in TABLES} | {f"clock.{kind}" for kind in PageSettings.load(None).clocks}
    composed |= {f"transition.{state}" for state in STATES} | {f"case.done_{what}" for what in FORMS}
    assert composed - WORDS.keys() == set()


def test_no_declared_message_is_unused():
    # `t("pupil." ~ word)` and `w(f"case.done_{what}")` make the rest of a name.
    starts = [
        *re.findall(r"""t\("([a-z_]+\.[a-z_]*)" ~""", CODE),
        *re.findall(r"""[ws]\(f"([a-z_]+\.[a-z_]*)\{""", CODE),
    ]
    starts += ["time.month_", "refused.t", "work_list.all_", "clock.", "missing.", "chance.", "did.", "left."]
    left = [key for key in WORDS if f'"{key}"' not in CODE and not any(key.startswith(s) for s in starts)]
    assert [key for key in left if not key.endswith(".menu")] == []


def test_every_entry_of_the_audit_is_said_in_words_and_no_other():
    code = "\n".join(f.read_text() for f in HERE.parent.rglob("*.py"))
    recorded = set(re.findall(r"""\.record(?:_for\(\w+,|\()\s*"([a-z_]+\.[a-z_]+)""", code)) | {
        f"case.{kind}" for kind in KINDS
    }
    told = {key.removeprefix("did.") for key in WORDS if key.startswith("did.")}
    assert len(recorded) > 70
    assert recorded - told == set()
    assert [key for key in told - recorded if f'"{key}"' not in code] == []


def test_templates_contain_no_sentences():
    for name, text in TEMPLATES.items():
        assert re.findall(r"[\w\"]>([^<>{}]*[A-Za-z]{2,}[^<>{}]*)<", text) == [], name


@pytest.mark.parametrize("key", sorted(WORDS))
def test_one_of_a_thing_is_not_named_in_the_plural(key):
    """Every number is tried as one; nouns whose number varies are written `child(ren)` and agree."""
    names = set(re.findall(r"{(\w+)[^}]*}", WORDS[key]))
    text = Wording.load("en")(key, **dict.fromkeys(names, 1) | {"about": "About 1 in 3"})
    assert not re.search(r"(?<![\w-])1 (children|[a-z]+ children|(?!was|is|has|days ago)[a-z]+s)\b", text), text
    assert "(s)" not in text
    assert "(ren)" not in text


def test_each_shipped_definition_of_missing_is_explained():
    assert {f"missing.{name}" for name in Definition.shipped()} <= WORDS.keys()


def test_no_sentence_claims_a_cause():
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


def grade(texts):
    """Return the reading grade of sentences and labels: 4 is read at about nine years of age.

    Kincaid, Fishburne, Rogers and Chissom 1975: 0.39 words a sentence and 11.8 syllables a word, less 15.59. What is filled in
    counts as a word of one syllable; syllables are counted by their vowels, without an e that is not heard.
    """
    sentences = [
        re.findall(r"[A-Za-z]+(?:['’-][A-Za-z]+)*", re.sub(r"{[^}]*}", "one", s))
        for t in texts
        for s in re.split(r"[.:;?!](?:\s|$)", t)
    ]
    words = [word.lower() for sentence in sentences for word in sentence]
    heard = [re.sub(r"(?<=[a-z]{2})(?<![aeiouyl])((?<![sczxgh])es|(?<![td])ed|e)$", "", word) for word in words]
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", word))) for word in heard)
    return 0.39 * len(words) / sum(map(bool, sentences)) + 11.8 * syllables / len(words) - 15.59


def test_what_workers_read_is_read_at_about_nine_years():
    assert grade(["The cat sat on the mat."]) == pytest.approx(0.39 * 6 + 11.8 - 15.59)
    assert grade(["Administrators necessitate notification."]) > 20
    # The pages of models and of the audit are for data scientists and administrators; the name of the guidelines cannot be shortened.
    grades = {
        key: text
        for key, text in WORDS.items()
        if not key.startswith(("model.", "time.", "did.")) and key != "accessibility.aim"
    }
    assert grade(grades.values()) <= 3
    assert grade(text for text in grades.values() if not text.endswith((".", "?"))) <= 3, "labels"
    # Short labels are graded together: a single official word alone has a grade of 20.
    long = [s for text in grades.values() for s in re.split(r"[.:;?!] ", text) if len(s.split()) >= 6]
    assert [s for s in long if grade([s]) > 9] == []
    reasons = [s.text for f in catalogue().features if f.role == "reason" for s in f.sentences]
    assert grade(reasons) <= 5, "they hold the official words: unauthorised, suspended, provision"


def test_no_theme_is_a_protected_characteristic():
    assert not re.search(
        r"ethnic|sex|gender|relig|language|disab", " ".join(catalogue().themes.values()), re.IGNORECASE
    )


def test_every_letter_of_a_register_is_explained(visit):
    page = html.unescape(visit("worker").get("/about").text)
    for code, of in attendance_codes().items():
        row = f'<th scope="row" class="govuk-table__header">{code}</th><td class="govuk-table__cell">{of.meaning[0].upper()}{of.meaning[1:]}'
        assert row in page
    assert "counts_" not in page
