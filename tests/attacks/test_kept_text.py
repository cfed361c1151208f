"""Words that stay for ever, in the audit or the log of promotions, name no child: every option of every command is looked at."""

import json
from datetime import UTC, date, datetime

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from histories.errors import Usage
from histories.settings import settings
from serving.cli.main import VERBS, onroll
from serving.store import Store
from serving.store.audit.kept_text import must_name_nobody
from serving.store.caller import command_line
from serving.store.database import reading
from serving.store.records import holds
from serving.store.sign_in.sessions import Session, end_sessions
from serving.store.tables import AuditEntry, Pupil
from serving.store.trials import checks, trials
from tests.support.days import from_today
from tests.support.scores import score

CHILD = "AUTHORITYS-OWN-7"  # an identifier of no known form
# {born} is the day on which a child of ten was born, {known} one of outcomes.
SHAPES = {
    "a pupil's identifier": ["p0123456789abcdef0123", "P0123456789ABCDEF0123", "unlinked:p0123456789abcdef0123"],
    "a UPN": ["B801200005001", "b8012 0000 5001", "B80120000500A", "Ｂ801200005001", "B8\u200b01200005001"],
    "a postcode": ["QX1 1AA", "qx11aa", "E1  6AN"],
    "what may be a date of birth": [
        "{born}",
        "{born:%d/%m/%Y}",
        "{born:%d.%m.%Y}",
        "{born.day}/{born.month}/{born:%y}",
        "{born:%d%m%Y}",
        "{born:%Y%m%d}",
        "{born.day} {born:%B} {born:%Y}",
        "{born.day}th of {born:%b} {born:%y}",
        "{born:%B} {born.day}, {born:%Y}",
    ],
}
PLAIN = (
    "replaces version 3; gates of 2026-11-30 passed",
    "outcomes are known since {known}",
    "URN 112013 merged with 102012 in September 2014",
    "calibration 0.91, 2,013 of 20,130 children, see ticket INC0012345678",
    "Y9 1st week; week 12 of 2025/26; model 01234567-89ab-cdef-0123-456789abcdef",
)

# How each option whose words are kept is sent, with X in its place.
KEPT = {
    "models promote --approver": "models promote 1 --by X --reason gates",
    "models promote --reason": "models promote 1 --by Ann --reason X",
    "models rollback --by": "models rollback --by X --reason gates",
    "models rollback --reason": "models rollback --by Ann --reason X",
    "models accept NAME": "models accept X --by Ann --reason gates",
    "models accept --by": "models accept --by X --reason gates",
    "models accept --reason": "models accept --by Ann --reason X",
    "models withdraw --by": "models withdraw --by X --reason gates",
    "models withdraw --reason": "models withdraw --by Ann --reason X",
    "monitor --reason": "monitor histories --acknowledge A001 --reason X",
    "trial stop --reason": "trial stop one --reason X",
    "hold add --reason": "hold add --pupil-file pupils.txt --reason X",
    "hold remove --reason": "hold remove --pupil-file pupils.txt --reason X",
    "erase --reason": "erase --pupil-file pupils.txt --reason X",
    "involvement --authority": "involvement --authority X",
    "keys create --authority": "keys create --role lead --authority X",
    "keys create --urn": "keys create --role lead --authority 801 --urn X",
    "keys create --holder": "keys create --role lead --authority 801 --holder X",
}
# The account that makes keys reads no pupil, and a withdrawal waits for no database.
SHAPES_ALONE = {name for name in KEPT if name.startswith(("keys ", "models withdraw"))}
# What else takes any text, and what becomes of it.
LOOKED_UP, A_PLACE, NO_ENTRY = (
    "refused unless it names something",
    "a file or folder, or a name of one",
    "read, and kept nowhere",
)
NOT_KEPT = {
    **dict.fromkeys(("simulate --scenario", "import FORM", "doctor --definition", "describe --definition"), A_PLACE),
    **dict.fromkeys(("definitions --definition", "train --definition", "monitor --definition"), A_PLACE),
    **dict.fromkeys(("trial analyse --definition", "trial checks estimate --definition"), A_PLACE),
    **dict.fromkeys(("trial plan --definition", "trial checks draw --definition"), A_PLACE),
    **dict.fromkeys(("models adopt BUNDLE", "models export MODEL", "models show MODEL", "score --model"), A_PLACE),
    **dict.fromkeys(("models compare FIRST", "models compare SECOND", "models reproduce VERSION"), A_PLACE),
    **dict.fromkeys(("features --compare-known", "features --explain", "serve --host"), NO_ENTRY),
    **dict.fromkeys(("models gates --approver", "models gates --reason", "audit show --action"), NO_ENTRY),
    **dict.fromkeys(("subject-access PUPIL", "subject-access --contact"), NO_ENTRY),
    **dict.fromkeys(("score --reproduce", "sessions end SESSION_ID", "sessions end --person"), LOOKED_UP),
    **dict.fromkeys(("trial stop NAME", "keys revoke KEY_ID", "approvals confirm APPROVAL_ID"), LOOKED_UP),
    **dict.fromkeys(("monitor --acknowledge", "access reopen PERSON"), LOOKED_UP),
    "import --sender": "a name of a school's system, kept with the histories, which an erasure names as not reached",
    "access close PERSON": "an account, of which the entry says that it was closed",
}


def text_options(command, path=()):
    """Yield the name of each option and argument of a command and of those below it that takes any text."""
    if isinstance(command, click.Group):
        for name in command.list_commands(None):
            yield from text_options(command.get_command(None, name), (*path, name))
        return
    for parameter in command.params:
        if type(parameter.type) in (click.types.StringParamType, click.types.UnprocessedParamType):
            shown = parameter.opts[0] if parameter.param_type_name == "option" else parameter.name.upper()
            yield " ".join((*path, shown))


def test_of_every_option_that_takes_words_it_is_known_whether_they_are_kept():
    assert list(onroll.list_commands(None)) == list(VERBS)
    assert set(text_options(onroll)) == KEPT.keys() | NOT_KEPT.keys()


def of_today(text):
    """Return a text with its days, as far back as they are from today."""
    return text.format(born=from_today(-10 * 366), known=from_today(-700))


@pytest.fixture
def store():
    made = Store.of(settings())
    made.save([score(CHILD, 1)])
    return made


@pytest.fixture
def run(store, tmp_path):
    """Run a command with words, and return its exit code and output once nothing of them is in the audit or a log."""
    (tmp_path / "pupils.txt").write_text("nobody-1\n")

    def sent(name, words):
        done = CliRunner().invoke(onroll, [words if part == "X" else part for part in KEPT[name].split()])
        with reading(store.engine) as connection:
            kept = json.dumps([list(map(str, row)) for row in connection.execute(sa.select(AuditEntry.__table__))])
        assert words not in kept
        assert not list(tmp_path.rglob("moves.jsonl"))
        code = done.exception.exit_code if hasattr(done.exception, "exit_code") else done.exit_code
        return code, str(done.exception)

    return sent


@pytest.mark.parametrize("name", KEPT)
def test_no_command_keeps_words_that_name_a_child(run, name):
    """Before, only holds and erasures looked, and only for the pupils of their own file."""
    texts = {kind: of_today(texts[0]) for kind, texts in SHAPES.items()}
    texts |= {} if name in SHAPES_ALONE else {"known": CHILD, "known, in other letters": CHILD.lower()}
    for kind, text in texts.items():
        code, said = run(name, f"we found {text}, so")
        assert code == 2, (name, kind)
        assert "no erasure reaches it" in said
        assert text not in said


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in SHAPES.items() for text in texts])
def test_every_way_to_write_it_is_recognised(kind, text):
    for around in ("{}", "child {}, please", "({})", "'{}'", "a {}."):
        with pytest.raises(Usage) as refused:
            must_name_nobody({"--reason": around.format(of_today(text))})
        assert [f.what for f in refused.value.faults] == [f"the text holds {kind}"], around


@pytest.mark.parametrize("text", PLAIN)
def test_plain_reasons_are_none(store, text):
    with reading(store.engine) as connection:
        must_name_nobody({"--reason": of_today(text)}, connection)


@pytest.mark.parametrize("where", ["pupil_ref", "hold"])
def test_whoever_the_store_knows_is_recognised(store, where):
    with reading(store.engine) as connection:
        ref = connection.scalar(sa.select(Pupil.pupil_ref))
    with store.change(command_line()) as change:
        holds.place(change, ["held-only-9"], "kept")
    with reading(store.engine) as connection, pytest.raises(Usage):
        must_name_nobody({"--reason": f"see {ref if where == 'pupil_ref' else 'held-only-9'}"}, connection)


@pytest.mark.parametrize("register", [trials.register, checks.register])
def test_no_plan_is_named_after_a_child(store, register):
    words = {"authority": "801", "as_of": date(2025, 2, 3), "pupils": []}
    with pytest.raises(Usage), store.change(command_line()) as change:
        register(change, "p0123456789abcdef0123", "d" * 64, **words)


@pytest.mark.parametrize("what", [{"session_id": "b801200005001"}, {"person_id": "Ann Example"}])
def test_the_end_of_no_session_keeps_no_words(store, what):
    """Before, whatever was typed stayed in the audit."""
    with store.change(command_line()) as change:
        assert end_sessions(change, **what) == 0
    with reading(store.engine) as connection:
        kept = " ".join(connection.scalars(sa.select(AuditEntry.details)))
    assert next(iter(what.values())) not in kept


def test_the_end_of_a_session_names_whose_it_was(store):
    """A name is kept where there was such a session, and only there."""
    now = datetime.now(UTC)
    of_person = {"person_id": "person-1", "name": "Ann", "role": "lead", "urns": "[]", "granted": "{}"}
    moments = dict.fromkeys(("opened_at", "ends_at", "seen_at"), now)
    with store.change(command_line()) as change:
        change.connection.execute(sa.insert(Session).values(digest="d" * 64, **of_person, **moments))
        assert end_sessions(change, person_id="person-1") == 1
    with reading(store.engine) as connection:
        (kept,) = connection.scalars(
            sa.select(AuditEntry.details).where(AuditEntry.action == "session.ended_by_command")
        )
    assert '"person":"person-1"' in kept
