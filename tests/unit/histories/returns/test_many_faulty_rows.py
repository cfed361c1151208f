"""A fault in every row of a long return costs what it costs in few: no value of a row becomes text of a statement, no list of lines grows."""

import re

import pytest

from histories.errors import Faults
from histories.identity import upn_with_check_letter
from histories.returns.files.staging import SHOWN, Staging
from tests.support.small_returns import UPNS, import_text

SOUND = UPNS[0]


def wrong_letters(n: int) -> list[str]:
    right = [upn_with_check_letter(f"80120001{number:04d}") for number in range(n)]
    return [("A" if upn[0] != "A" else "B") + upn[1:] for upn in right]


def marks(upns: list[str], code: str = "I", day: str = "2024-09-09") -> str:
    return "upn,date,session,code\n" + "".join(
        f"{upn},{day},AM,{code if '{' not in code else code.format(n)}\n" for n, upn in enumerate([*upns, SOUND])
    )


def cases(upns: list[str]) -> str:
    return "UPN,Missing from,Reported on\n" + "".join(f"{u},10/09/2024,01/10/2024\n" for u in [*upns, SOUND])


# One text a row, so that a list of them would grow with the file.
KINDS = {
    "wrong check letters": ("marks", lambda n: marks(wrong_letters(n))),
    "placeholders": ("marks", lambda n: marks([f"{number / 7:.2E}" for number in range(10**9, 10**9 + n)])),
    "no UPN": ("marks", lambda n: marks([""] * n)),
    "codes that do not exist": ("marks", lambda n: marks([SOUND] * n, code="remark {}")),
    "days that are no days": ("marks", lambda n: marks([SOUND] * n, day="some day")),
    "cases with wrong check letters": ("cme-cases", lambda n: cases(wrong_letters(n))),
    "cases without a UPN": ("cme-cases", lambda n: cases([""] * n)),
}


@pytest.fixture
def statements(monkeypatch):
    run: list[tuple[str, int]] = []
    sql = Staging.sql

    def noted(self, statement, *values):
        rows = sql(self, statement, *values)
        run.append((re.sub(r"'[^']*onroll-[^']*'|\d+", "", statement), len(rows)))
        return rows

    monkeypatch.setattr(Staging, "sql", noted)
    return run


@pytest.mark.parametrize("kind", KINDS)
def test_statements_do_not_grow_with_the_faults(tmp_path, statements, kind):
    longest, lines = [], []
    for n in (20, 600):
        form, text = KINDS[kind]
        (tmp_path / str(n)).mkdir()
        statements.clear()
        try:
            notes = import_text(tmp_path / str(n), form, {"return.csv": text(n)}).notes
        except Faults as faults:
            notes = [f"{fault.what} {fault.where}" for fault in faults.faults]
        longest.append(max(len(statement) for statement, _ in statements))
        lines.append(
            max(
                (
                    rows
                    for statement, rows in statements
                    if statement.startswith(("SELECT onroll_line", "SELECT count"))
                ),
                default=0,
            )
        )
        shown = [note for note in notes if "…" in note]
        assert kind == "codes that do not exist" or shown, "the lines are told"
        assert all(len(re.search(r"lines ([\d, ]+)", note)[1].split(",")) == SHOWN for note in shown)
    assert longest[1] <= longest[0]
    assert max(lines) <= SHOWN + 1
