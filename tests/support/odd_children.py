"""Made-up children with rows that tempt a sentence to say something absurd: dates before birth, in the future, first addresses, silence."""

import random
from datetime import date, timedelta

DAY = date(2025, 1, 13)
KINDS = ["early_help", "assessment", "cin", "cpp", "cla", "referral", "missing"]
CODES = {"well": "////////////////L/I/", "often away": "/O/I/N/G/U/O//", "ill": "IIIM//", "gone": "OOOOOOON"}


def back(days):
    return (DAY - timedelta(days=days)).isoformat()


def child(pupil, chance):
    """Return the rows of one child, by table."""
    born = DAY - timedelta(days=chance.randint(5 * 366, 15 * 365))
    life = (DAY - born).days
    tables = {"pupils": [{"date_of_birth": born.isoformat(), "authority": "801"}]}
    entered = chance.choice([30, 120, 400, 900, 2204])
    tables["enrolments"] = [{"urn": str(chance.randint(1, 2)), "entry_date": back(entered)}]
    for nth in range(chance.choice([0, 0, 1, 2])):
        start = entered + chance.randint(200, 900)
        where = chance.choice(["state_school", "unknown", "missing_education", "abroad"])
        tables["enrolments"].append(
            {"urn": str(3 + nth), "entry_date": back(start), "leaving_date": back(start - 150), "destination": where}
        )
    starts = chance.sample([life + 300, life, life - 50, 1500, 700, 300, 80, 20, 2], chance.randint(0, 4))
    tables["addresses"] = [
        {"start_date": back(s), "household_id": f"H{chance.randint(1, 40)}", "temporary": chance.random() < 0.2}
        for s in starts
    ]
    tables["social_care"] = []
    for kind in chance.sample(KINDS, chance.choice([0, 0, 1, 3])):
        start = chance.choice([900, 400, 200, 30, 3])
        row = {"kind": kind, "start_date": back(start)}
        tables["social_care"].append(row | ({"end_date": back(start // 2)} if chance.random() < 0.4 else {}))
    days = chance.sample([800, 365, 200, 40, 1], chance.choice([0, 0, 1, 2]))
    tables["suspensions"] = [
        {"start_date": back(n), "category": chance.choice(["SUSP", "SUSP", "PERM"]), "sessions": 4} for n in days
    ]
    tables["sen"] = (
        [
            {
                "start_date": back(chance.choice([2781, 900, 100])),
                "provision": chance.choice("KE"),
                "primary_need": "SEMH",
            }
        ]
        if chance.random() < 0.3
        else []
    )
    tables["cme"] = [
        {"missing_from": back(1300), "reported_on": back(chance.choice([1200, 300])), "resolved_on": back(100)}
        for _ in range(chance.random() < 0.15)
    ]
    tables["attendance"] = list(_marks(chance))
    return {name: [{"pupil_id": pupil, **row} for row in rows] for name, rows in tables.items()}


def _marks(chance):
    silent, first = chance.choice([0, 0, 0, 25, 50]), chance.choice([30, 95, 200])
    early, late = chance.choice(list(CODES.values())), chance.choice(list(CODES.values()))
    turn = chance.choice([10, 28, 60])
    for n in range(first, silent, -1):
        day = DAY - timedelta(days=n)
        if day.weekday() < 5 and n != 0:
            for session in ("AM", "PM"):
                code = chance.choice(late if n <= turn else early)
                yield {"date": day.isoformat(), "session": session, "code": code}


def odd_children(n, seed):
    """Return the rows of some children by table, all schools and areas included."""
    chance = random.Random(seed)
    tables = {"schools": [{"urn": "1", "phase": "primary"}, {"urn": "2", "phase": "special"}]}
    for k in range(n):
        for name, rows in child(f"P{k}", chance).items():
            tables.setdefault(name, []).extend(rows)
    return tables
