"""Rows that the HTTP interface can score, and a text that no answer may repeat."""

CANARY = "ZZCANARYZZ"
ROWS = {
    "pupils": [{"pupil_id": "A1", "date_of_birth": "2014-05-01", "authority": "801"}],
    "enrolments": [{"pupil_id": "A1", "urn": "100", "entry_date": "2018-09-04"}],
    "attendance": [{"pupil_id": "A1", "date": "2025-01-08", "session": s, "code": "O"} for s in ("AM", "PM")],
}
BODY = {"as_of": "2025-01-13", "histories": ROWS}
