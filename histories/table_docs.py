"""Write ``docs/histories.md`` from the declarations; with ``--check``, fail if it is out of date."""

from __future__ import annotations

import sys
from pathlib import Path

from histories.codes import attendance_codes, code_set
from histories.io.terminal import say
from histories.tables import TABLES, Table

DOCS = Path(__file__).parents[1] / "docs"
GRAMMAR = """## Your own mapping

`onroll import csv FILES --into HISTORIES --mapping own.toml` reads any CSV. Each `[[table]]` says which table it fills from which files:

```toml
[[table]]
fills = "cme"                      # a table of docs/histories.md
files = "*cases*.csv"              # which of the files named on the command line
pupil = ["UPN", "Pupil UPN"]       # the column with the UPN; the first that exists is used
former = "Former UPN"              # the column with a former UPN, if any
dates = ["%d/%m/%Y", "%Y-%m-%d"]   # date formats of strptime
# postcode = "Postcode"            # for addresses: looked up for the LSOA (import postcodes too), never stored
[table.columns]
missing_from = "Missing from"      # column of the table = name, or names, in the file
reported_on = ["Reported", "Referral date"]
[table.codes.resolution]           # values to translate; others become empty and are counted
"Back in school" = "back_on_roll"
[table.constants]
```

`onroll import auto FOLDER --mapping own.toml` recognises files by the columns of a mapping, before the formats below; repeat the option for several mappings.
For `marks`, a mapping names columns instead: `layout` (`long`, `days`, `columns` or `weeks`), `pupil`, `date`, `session`, `code`, `recorded_on`, `week`, `marks`,
`dates`, `am`, `pm`. In the layout `days`, which is detected without a mapping, a row is a day with marks in the columns named by `am` and `pm`. In `columns`, each session is a column named like
`2024-09-04 AM`. In `weeks`, the marks of five days are one string of ten characters, with a dash or space for no mark; codes of two characters do not fit.

## Who a record is about

> **Danger.** A pseudonym is only as secret as its key. UPNs can be enumerated: whoever has the key and the histories can try every UPN of a school within about
> a second and knows every child of it. Keep the key file away from the histories and their backups, readable by the importing account only, and never send
> the two together; `import` refuses a key file in the histories folder or in the linkage store. If the key leaks, treat every copy made so far as if it held names,
> and run `onroll pseudonyms rotate-key HISTORIES...`: it re-keys histories, linkage store and database ([operations.md](operations.md#rotate-keys)).

A UPN becomes a keyed pseudonym (`ONROLL_PSEUDONYM_KEY`), the only key in histories. A UPN with a wrong check letter is reported and kept. A former UPN maps to the child's
first key. Records without a UPN are linked by `onroll link HISTORIES --people FILE` (or `--link FILE` on import, with `auto` too) to the names that the School Census brought into the
linkage store `HISTORIES.linkage`, which lies beside the histories. A link with a probability of at least 0.99 is automatic if the forenames are similar and no other pupil is close.
From 0.90 the pair goes to `review.csv`, where a person writes yes or no. Below that, the record is not linked. Answers are kept, and each pair is reviewed once.

A placeholder (`UN1` to `UN7`, `8.01E+11`, zeros, "n/a") is not a UPN: children with the same placeholder stay apart. Such rows are reported with their line
numbers. Children in a census without a UPN are listed in `HISTORIES.linkage/to_link.csv` for `onroll link`; a case list needs a column with its own key of the child
(`person` in a mapping). Once they are linked, import the return again. With `--sender` the
`person_id` of a return's own number is `SENDER/NUMBER`, since two authorities number their children alike. If a new UPN arrives without the former one, the child has two histories until a later return with
both, or `onroll import upn-changes FILE`, joins them. Numbers of schools are joined by `schools` (LAESTAB and URN) and `school-links` (conversions to academies).

## Importing is a merge

Import returns in any order, together or one by one, even repeatedly: the histories as of any day are the same (`docs/decisions/0011-importing-is-a-merge.md`).
A return submitted again by the same sender for the same period corrects the first (`docs/decisions/0012-senders.md`): a school's part of a census, the return of the
authority that the file names or `--sender`, else the one with the same children. Two authorities' returns are kept beside each other. Give its date with `--submitted 2025-03-03`, or import it last. Until that day the
histories show what was stated first: rolls, leavings, lengths of suspensions and ends keep both versions. Three things no table can date: a row that a correction withdraws
altogether disappears as of every day, `pupils` has no recording date, so of two dates of birth the one submitted later counts as of every day, and provision, homes and
termly sessions of a corrected census count from its census day. A census that no longer lists a child ends the spell on the day before the census.
Extracts (marks, cases, mapped CSV) have no period: a later extract can close a case or change a mark, but never reopens a closed case. Of two that end on
one day neither is newer: the import says so where they differ, and the same file again with `--submitted` tells it.
The statements of each return are kept in `HISTORIES/.returns`, without names and UPNs: keep that folder with the tables.
"""


def page() -> str:
    """Return the page."""
    parts = [
        "# Histories\n\nGenerated from `histories/tables.py` by `make docs`; do not edit.\n\nA histories folder holds one file per table: "
        "`<table>.parquet`, `.csv`, `.csv.gz`, or a folder `<table>/*.parquet`. Dates are ISO. As of a day D a row is visible if it was "
        "recorded strictly before D; the end of a spell is visible if the end was recorded before D (`docs/decisions/0001-ends-are-known-late.md`).\n\n"
        "A code that does not exist, a number out of its range, and a date before 1900 or after the end of next year count as missing, with a warning: "
        "the value is null, or, where its table requires it, the row is left out (of `schools` and `areas` the value only). What was recorded on a day after "
        "the end of next year is not known until then. A request with a code that does not exist is refused.\n"
    ]
    parts += [_table(t) for t in TABLES.values()]
    parts.append("## Codes\n")
    named = sorted({c.codes for t in TABLES.values() for c in t.columns.values() if c.codes})
    for name in named:
        parts.append(
            f"### {name}\n\n" + "\n".join(f"- `{k}` {v}{_dates(name, k)}" for k, v in code_set(name).items()) + "\n"
        )
    return "\n".join(parts)


DATES_AND_HEADINGS = """In every format, case, blanks, hyphens and underscores in headings make no difference, nor does a colon or a star behind them. Dates are
read as `2024-09-30`, `2024/09/30`, `30/09/2024`, `30/09/24`, `30-09-2024`, `30.09.2024`, `30-Sep-2024`, `30-Sep-24`, `30 Sep 2024` or
`30 September 2024`, the day before the month; a time is ignored, but with a time zone the day is London's. In lists, `n/a`, `none`, `null`,
`nil` and `-` are no date, number, or yes or no.
"""


def returns_page() -> str:
    """Return the page of formats of returns."""
    from histories.returns import FORMATS

    parts = [
        "# Returns\n\nGenerated from `histories/returns/` by `make docs`; do not edit. `onroll import FORMAT SRC... --into HISTORIES`; SRC are files or folders.\n",
        DATES_AND_HEADINGS,
    ]
    for form in FORMATS.values():
        fills, cannot = ", ".join(f"`{t}`" if t in TABLES else t for t in form.fills), "; ".join(form.cannot_know)
        parts.append(
            f"## {form.name}\n\n{form.title[:1].upper()}{form.title[1:]}.\n\n- fills: {fills}\n- cannot know: {cannot}\n{_layout(form.verified)}{_headings(form.name)}"
        )
    return "\n".join([*parts, GRAMMAR])


def _layout(verified: tuple[str, ...]) -> str:
    return f"- layout: {'; '.join(verified)}\n" if verified else ""


def _headings(form: str) -> str:
    """Return the headings that a declared format accepts for each column; case does not matter."""
    from histories.returns.mapping import FOLDER, load_mapping

    file = FOLDER / f"{form}.toml"
    if not file.is_file():
        return ""
    lines = []
    for filled in load_mapping(file).tables:
        columns = {"UPN": filled.pupil, "former UPN": filled.former, **filled.columns}
        lines += [f"  - {c}: {', '.join(f'`{n}`' for n in names)}\n" for c, names in columns.items() if names]
    return "- headings, in any case:\n" + "".join(lines)


def rules_page() -> str:
    """Return the page of rules."""
    from histories.rules import RULES

    head = (
        "# Rules of `onroll check`\n\nGenerated from `histories/rules/` by `make docs`; do not edit. Errors make figures wrong; with one, the check exits "
        "with 1. A rule has one finding for each table (or column) with violations. To silence a rule: `onroll check HISTORIES --silence own.toml` with "
        'lines like `H040 = "why it does not apply here"`.\n\n| rule | severity | what | why it matters | what to do | where it looks |\n|---|---|---|---|---|---|\n'
    )
    return head + "".join(
        f"| {r.code} | {r.severity} | {r.title} | {' '.join(r.reason.split())} | {r.do} | {', '.join(f'`{p}`' for p in r.places)} |\n"
        for r in RULES
    )


def _dates(name: str, code: str) -> str:
    if name != "attendance":
        return ""
    c = attendance_codes()[code]
    since, until = (f", since {c.since}" if c.since else ""), (f", until {c.until}" if c.until else "")
    return f" ({c.counts_as.replace('_', ' ')}{since}{until})"


def _table(t: type[Table]) -> str:
    doc = (t.__doc__ or "").strip()
    need = "required" if t.required else "optional; without it its features are missing, never zero"
    visibility = (
        "always known" if t.always_known else "known on the first of " + ", ".join(f"`{k}`" for k in t.known_from)
    )
    visibility += f" ({t.known_delay} days after it)" if t.known_delay else ""
    rows = "\n".join(
        f"| `{c.name}` | {c.kind} | {'yes' if c.required else ''} | {c.meaning}{f' (codes: {c.codes})' if c.codes else ''} |"
        for c in t.columns.values()
    )
    return f"## {t.table}\n\n{doc} {need.capitalize()}; {visibility}. Key: {', '.join(f'`{k}`' for k in t.key)}.\n\n| column | type | required | meaning |\n|---|---|---|---|\n{rows}\n"


def write(file: Path, text: str) -> int:
    """Write a page, or with ``--check`` report whether it is current; return the exit code."""
    if "--check" in sys.argv:
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            say(f"{file.name} is out of date: run 'make docs' and commit it")
            return 1
        return 0
    file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    pages = {"histories.md": page(), "returns.md": returns_page(), "rules.md": rules_page()}
    sys.exit(max(write(DOCS / name, text) for name, text in pages.items()))
