"""Write small censuses, file by file, from the rows of a test."""

from __future__ import annotations

from pathlib import Path

from histories.identity import upn_with_check_letter

HEAD = "pupilonrolltableid,NativeId,dob,upn,formerupn,surname,forename,sex,entrydate,enrolstatus,senprovision,ncyearactual,ethnicity\n"
LEFT = (
    "pupilnolongeronrolltableid,NativeId,dob,upn,formerupn,surname,forename,sex,entrydate,leavingdate,ncyearleaving\n"
)


def upn(n: int) -> str:
    """Return a valid made-up UPN."""
    return upn_with_check_letter(f"8012000{n:05}")


def on_roll(n, entry="2022-09-05", urn="100001", **changed):
    """Return a child on roll as a row of a census; ``upn`` and other columns can be changed."""
    row = {"urn": urn, "dob": "2013-05-01", "upn": upn(n), "former": "", "entry": entry, "sen": "N", "year": "5"}
    return row | {"id": f"r{n}", "surname": f"Sur{n}", "forename": f"For{n}"} | changed


def left(n, leaving, entry="2022-09-05", urn="100001", **changed):
    """Return a child no longer on roll."""
    return on_roll(n, entry, urn, leaving=leaving, **changed)


def write_census(folder: Path, term: str, rows, suspended=(), meals=(), sessions=()) -> Path:
    """Write one census, such as ``2024_autumn``; suspensions are (child, day) or (child, day, sessions), meals (child, start, end), sessions (child, code, count)."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"pupilonroll": HEAD, "pupilnolongeronroll": LEFT}
    for r in rows:
        common = (
            f"{r['id']},{r['urn']},{r['dob']},{r['upn']},{r['former']},{r['surname']},{r['forename']},F,{r['entry']}"
        )
        if "leaving" in r:
            files["pupilnolongeronroll"] += f"{common},{r['leaving']},{r['year']}\n"
        else:
            files["pupilonroll"] += f"{common},C,{r['sen']},{r['year']},WBRI\n"
    files["termlyexclusionsonroll"] = "pupilonrolltableid,startdate,category,sessions,reason1\n" + "".join(
        f"r{n},{day},SUSP,{length[0] if length else 2},DB\n" for n, day, *length in suspended
    )
    files["fsmperiod"] = "pupilonrolltableid,fsmstartdate,fsmenddate\n" + "".join(
        f"r{n},{start},{end}\n" for n, start, end in meals
    )
    files["termlysessiondetailsonroll"] = "pupilonrolltableid,attendancereason,sessions\n" + "".join(
        f"r{n},{code},{count}\n" for n, code, count in sessions
    )
    for table, text in files.items():
        (folder / f"{term}_{table}.csv").write_text(text)
    return folder
