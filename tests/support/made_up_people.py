"""Made-up names with the errors that two lists of the same children have, for tests and measurements of linking."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SYLLABLES = [
    "ka",
    "mi",
    "ro",
    "la",
    "ne",
    "to",
    "sa",
    "be",
    "du",
    "vi",
    "el",
    "an",
    "or",
    "jo",
    "fa",
    "li",
    "ha",
    "su",
    "te",
    "wy",
]


def names(rng, many, least):
    """Return distinct names, the most common first."""
    drawn = {}
    while len(drawn) < many:
        drawn["".join(rng.choice(SYLLABLES, rng.integers(least, least + 3))).title()] = None
    return np.array(list(drawn))


def zipf(rng, values, n, flat):
    weight = 1 / (np.arange(len(values)) + flat)
    return rng.choice(values, size=n, p=weight / weight.sum())


def typo(rng, text):
    """Swap, drop, double or change one letter."""
    at = int(rng.integers(0, max(len(text) - 1, 1)))
    kind = int(rng.integers(0, 4))
    letter = "abcdefghijklmnoprstuvwy"[int(rng.integers(0, 23))]
    return [
        text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
        text[:at] + text[at + 1 :],
        text[:at] + text[at] + text[at:],
        text[:at] + letter + text[at + 1 :],
    ][kind]


def pupils(n, seed=1, twins=0.015):
    """Return pupils, some of them twins: same surname, date of birth and postcode, usually another forename."""
    rng = np.random.default_rng(seed)
    forenames, surnames = names(rng, 1500, 2), names(rng, 9000, 2)
    days = (np.datetime64("2008-09-01") + rng.integers(0, 12 * 365, n)).astype(str)
    areas = [f"QX{i}" for i in range(1, 25)]
    table = {
        "pupil_id": [f"p{i}" for i in range(n)],
        "forename": zipf(rng, forenames, n, 15).tolist(),
        "surname": zipf(rng, surnames, n, 60).tolist(),
        "dob": days.tolist(),
        "sex": rng.choice(["M", "F"], n).tolist(),
        "postcode": [
            f"{areas[a]} {d}{chr(65 + x)}{chr(65 + y)}"
            for a, d, x, y in zip(
                rng.integers(0, 24, n),
                rng.integers(1, 10, n),
                rng.integers(0, 26, n),
                rng.integers(0, 26, n),
                strict=True,
            )
        ],
    }
    for i in np.flatnonzero(rng.random(n - 1) < twins):
        for c in ("surname", "dob", "postcode"):
            table[c][i + 1] = table[c][i]
    return table


def persons(table, n, seed=2, absent=0.1):
    """Return persons of a social-care list: 10% forename and 8% surname typos, 5% changed surnames, 2% wrong dates, 25% moved, 10% not pupils."""
    rng = np.random.default_rng(seed)
    surnames = np.array(table["surname"])
    chosen = rng.choice(len(table["pupil_id"]), n, replace=False)
    rows = []
    for k, i in enumerate(chosen):
        row = {c: table[c][i] for c in table}
        row["true"] = row.pop("pupil_id")
        row["forename"] = typo(rng, row["forename"]) if rng.random() < 0.10 else row["forename"]
        if rng.random() < 0.05:
            row["surname"] = str(rng.choice(surnames))
        elif rng.random() < 0.08:
            row["surname"] = typo(rng, row["surname"])
        if rng.random() < 0.02:
            row["dob"] = str(np.datetime64(row["dob"]) + int(rng.integers(1, 40)))
        if rng.random() < 0.25:
            row["postcode"] = table["postcode"][int(rng.integers(0, len(chosen)))]
        if k < absent * n:
            row["true"] = ""
        rows.append({"person_id": f"s{k}", **row})
    gone = {i for k, i in enumerate(chosen) if k < absent * n}
    keep = [i for i in range(len(table["pupil_id"])) if i not in gone]
    return rows, {c: [v[i] for i in keep] for c, v in table.items()}


def write(folder: Path, rows, table) -> None:
    """Write the list of persons, and the linkage store of histories ``h`` in a folder."""
    (folder / "h.linkage").mkdir(parents=True)
    store = {
        "pupil_id": table["pupil_id"],
        "upn": table.get("upn") or [None] * len(table["pupil_id"]),
        **{c: table[c] for c in ("forename", "surname", "dob", "sex", "postcode")},
    }
    pq.write_table(
        pa.table({c: pa.array(v, pa.string()) for c, v in store.items()}), folder / "h.linkage" / "people.parquet"
    )
    with (folder / "persons.csv").open("w", newline="") as out:
        table_out = csv.DictWriter(out, [c for c in rows[0] if c != "true"], extrasaction="ignore")
        table_out.writeheader()
        table_out.writerows(rows)
