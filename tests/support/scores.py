"""Scores as the store takes them, and as it gives them back."""

import json


def score(pupil, rank, authority="801", version="1", day="2025-01-13"):
    """A score with the fields that the store looks at, and a reason with characters that must survive."""
    return {
        "pupil_id": pupil,
        "as_of": day,
        "model_version": version,
        "authority": authority,
        "urn": f"1000{rank % 2}",
        "nc_year": 7,
        "model": "onroll",
        "definition": "cme_register",
        "horizon_days": 120,
        "band": "high" if rank == 1 else "usual",
        "rank": rank,
        "risk": 1 / (rank + 1),
        "reasons": [{"theme": "é 'quoted' %s"}],
    }


def full_score(pupil, authority, urn="100"):
    """A score with every field that the HTTP interface promises."""
    return {
        "pupil_id": pupil,
        "as_of": "2025-01-13",
        "risk": 0.1,
        "risk_low": 0.05,
        "risk_high": 0.2,
        "rank": 1,
        "band": "high",
        "one_in": 10,
        "reasons": [],
        "protective": [],
        "context": [],
        "missing_tables": [],
        "unseen": [],
        "model": "onroll",
        "model_version": "1",
        "definition": "d",
        "horizon_days": 120,
        "margin": -2.2,
        "base": -2.2,
        "authority": authority,
        "urn": urn,
        "nc_year": 5,
    }


def parsed(bodies):
    """Return the JSON bodies that the store gave, as objects."""
    return [json.loads(body) for body in bodies]
