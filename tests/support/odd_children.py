"""Made-up children with rows that tempt a sentence to say something absurd: dates before birth, in the future, first addresses, silence."""

import random
from datetime import date, timedelta

DAY = date(2025, 1, 13)
KINDS = ["early_help", "assessment", "cin", "cpp", "cla", "referral", "missing"]
CODES = {"well": "////////////////L/I/", "often away": "/O/I/N/G/U/O//", "ill": "IIIM//", "gone": "OOOOOOON"}
CODES = {name: list(codes) for name, codes in CODES.items()}
CODES |= {
    "of all sorts": ["C", "E", "C2", "I", "M", "G", "N", "O", "U", "/", "B"],
    "no reason": ["N", "N", "N", "/"],
    "all ill": ["I"],
}
CODES |= {f"only {code}": [code] for code in ("/", "L", "C2", "G")}
CHRISTMAS = range(10, 22)  # days ago; half of the children have a closure there
TERMS = [
    ("2023-09-04", "2023-12-21"),
    ("2024-01-08", "2024-03-28"),
    ("2024-04-15", "2024-07-23"),
    ("2024-09-03", "2024-12-20"),
]
AREAS = [{"lsoa": f"E0100000{n}", "idaci_decile": 1 + 3 * n} for n in range(3)]


def back(days):
    return (DAY - timedelta(days=days)).isoformat()


def child(pupil, chance, homes):
    """Return the rows of one child, by table; ``homes`` is the number of addresses that children share."""
    born = DAY - timedelta(days=chance.randint(5 * 366, 15 * 365))
    life = (DAY - born).days
    tables = {"pupils": [{"date_of_birth": born.isoformat(), "authority": "801"}]}
    entered = chance.choice([30, 120, 400, 900, 2204])
    status = {"status": "M"} if chance.random() < 0.1 else {}
    apart = random.Random(pupil)  # what was added later changes nothing else
    stated = _a_year_behind(born, DAY - timedelta(days=entered)) if apart.random() < 0.2 else {}
    tables["enrolments"] = [{"urn": str(chance.randint(1, 2)), "entry_date": back(entered), **status, **stated}]
    for nth in range(chance.choice([0, 0, 1, 2])):
        start = entered + chance.randint(200, 900)
        where = chance.choice(["state_school", "unknown", "missing_education", "abroad"])
        tables["enrolments"].append(
            {
                "urn": str(apart.choice([1, 3]) + nth),
                "entry_date": back(start),
                "leaving_date": back(start - 150),
                "destination": where,
            }
        )
    starts = chance.sample([life + 300, life, life - 50, 1500, 700, 300, 80, 20, 2], chance.randint(0, 4))
    tables["addresses"] = [
        {
            "start_date": back(s),
            "household_id": f"H{chance.randint(1, homes)}",
            "temporary": chance.random() < 0.2,
            "lsoa": chance.choice(["E01000000", "E01000001", "E01000002", None]),
        }
        for s in starts
    ]
    tables["social_care"] = []
    for kind in chance.sample(KINDS, chance.choice([0, 0, 1, 3])):
        start = chance.choice([900, 400, 200, 30, 3])
        row = {"kind": kind, "start_date": back(start)}
        tables["social_care"].append(row | ({"end_date": back(start // 2)} if chance.random() < 0.4 else {}))
    if chance.random() < 0.05:
        tables["social_care"] += [{"kind": "missing", "start_date": back(n)} for n in (5, 250)]
    days = chance.sample([800, 365, 200, 40, 1], chance.choice([0, 0, 1, 2]))
    tables["suspensions"] = [
        {"start_date": back(n), "category": chance.choice(["SUSP", "SUSP", "PERM"]), "sessions": 4} for n in days
    ]
    tables["sen"] = (
        [
            {
                "start_date": back(chance.choice([2781, 900, 100])),
                "provision": chance.choice("KE"),
                "primary_need": chance.choice(["SEMH", "MLD", "SLCN"]),
            }
        ]
        if chance.random() < 0.3
        else []
    )
    tables["cme"] = [
        {"missing_from": back(1300 + nth), "reported_on": back(chance.choice([1200, 300])), "resolved_on": back(100)}
        for nth in range(chance.choice([0] * 15 + [1, 1, 2]))
    ]
    tables["attendance"] = list(_marks(chance))
    tables["termly_attendance"] = list(_terms(chance)) if chance.random() < 0.2 else []
    tables["admissions"] = [_application(chance)] if chance.random() < 0.5 else []
    return {name: [{"pupil_id": pupil, **row} for row in rows] for name, rows in tables.items()}


def _a_year_behind(born, entered):
    """Return the year group of a roll that has a child a year behind; nothing of the youngest."""
    august = entered.year - ((entered.month, entered.day) < (9, 1))
    by_age = august - born.year - ((born.month, born.day) > (8, 31)) - 4
    return {"nc_year": str(by_age - 1)} if by_age > 1 else {}


def _marks(chance):
    silent, first = chance.choice([0, 0, 0, 25, 50, 150]), chance.choice([30, 95, 200, 250])
    closed = chance.random() < 0.5
    early, late = chance.choice(list(CODES.values())), chance.choice(list(CODES.values()))
    late = early if chance.random() < 0.4 else late
    turn = chance.choice([10, 28, 60, 100])
    for n in range(first, silent, -1):
        day = DAY - timedelta(days=n)
        if day.weekday() < 5 and n != 0:
            for session in ("AM", "PM"):
                code = chance.choice(late if n <= turn else early)
                code = "#" if closed and n in CHRISTMAS else code
                yield {"date": day.isoformat(), "session": session, "code": code}


def _terms(chance):
    kind = chance.choice(list(CODES.values()))
    for start, end in chance.sample(TERMS, 3):
        codes = [chance.choice(kind) for _ in range(chance.choice([2, 120]))]
        returned = (date.fromisoformat(end) + timedelta(days=10)).isoformat()
        for code in sorted(set(codes)):
            row = {"term_start": start, "term_end": end, "code": code, "sessions": codes.count(code)}
            yield row | {"recorded_on": returned}


def _application(chance):
    row = {"entry_year": 2025, "phase": "secondary", "recorded_on": back(200)}
    if chance.random() < 0.8:
        row["applied_on"] = back(90)
        if chance.random() < 0.7:
            row |= {"offered_urn": "3", "offered_on": back(chance.choice([15, 27, 28, 30]))}
            if chance.random() < 0.7:
                row |= {"response": chance.choice(["accepted", "declined"]), "response_on": back(9)}
    return row


def with_plans(tables, seed):
    """Return the tables with rows that begin after the day and ends that lie on or after it, all recorded before; nothing of it has happened."""
    chance = random.Random(seed)
    plans = {
        "enrolments": {"urn": "2", "entry_date": back(-21)},
        "addresses": {"start_date": back(-3), "household_id": "H1", "temporary": True, "lsoa": "E01000002"},
        "social_care": {"kind": "early_help", "start_date": back(-7)},
        "suspensions": {"start_date": back(-1), "category": "SUSP", "sessions": 2},
        "sen": {"start_date": back(-30), "provision": "E", "primary_need": "MLD"},
    }
    added = dict(tables)
    for table, row in plans.items():
        pupils = [p["pupil_id"] for p in tables["pupils"] if chance.random() < 0.2]
        added[table] = [*tables[table], *({"pupil_id": p, **row, "recorded_on": back(5)} for p in pupils)]
    for table, end, recorded in (
        ("enrolments", {"leaving_date": back(-4), "destination": "unknown"}, {"leaving_recorded_on": back(5)}),
        ("social_care", {"end_date": back(0)}, {"end_recorded_on": back(5)}),
    ):
        is_open = [next(iter(end)) not in row and chance.random() < 0.2 for row in added[table]]
        added[table] = [row | (end | recorded if on else {}) for row, on in zip(added[table], is_open, strict=True)]
    return added


def odd_children(n, seed):
    """Return the rows of some children by table, all schools and areas included."""
    chance = random.Random(seed)
    tables = {"areas": AREAS, "schools": [{"urn": "1", "phase": "primary"}, {"urn": "2", "phase": "special"}]}
    for k in range(n):
        for name, rows in child(f"P{k}", chance, max(n // 2, 1)).items():
            tables.setdefault(name, []).extend(rows)
    return tables
