"""The static world: neighbourhoods, schools with catchments and trusts, households and their traits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

ETHNICITIES = {
    "WBRI": 0.625,
    "WIRI": 0.003,
    "WIRT": 0.001,
    "WROM": 0.004,
    "WOTH": 0.069,
    "MWBC": 0.016,
    "MWBA": 0.010,
    "MWAS": 0.017,
    "MOTH": 0.029,
    "AIND": 0.042,
    "APKN": 0.047,
    "ABAN": 0.018,
    "AOTH": 0.023,
    "BCRB": 0.009,
    "BAFR": 0.052,
    "BOTH": 0.008,
    "CHNE": 0.008,
    "OOTH": 0.019,
}
NEEDS = {
    "K": {"SLCN": 0.257, "SEMH": 0.21, "MLD": 0.17, "SPLD": 0.16, "ASD": 0.09, "OTH": 0.05, "NSA": 0.063},
    "E": {
        "ASD": 0.336,
        "SLCN": 0.20,
        "SEMH": 0.15,
        "SLD": 0.09,
        "MLD": 0.08,
        "SPLD": 0.04,
        "PD": 0.04,
        "PMLD": 0.03,
        "OTH": 0.034,
    },
}
FIRST_AUTHORITY = 801


@dataclass(kw_only=True)
class World:
    """The static side of the population: one array element per child, household, area or school."""

    authority: np.ndarray  # of households
    area: np.ndarray  # of households
    decile: np.ndarray  # of areas
    area_authority: np.ndarray
    stability_home: np.ndarray  # of households
    household: np.ndarray  # of pupils
    cohort: np.ndarray  # of pupils: the September in which they enter Reception
    engagement_home: np.ndarray
    traits: np.ndarray  # of pupils: log proneness to avoid school, and to be suspended
    sex: np.ndarray
    ethnicity: np.ndarray
    english: np.ndarray
    fsm: np.ndarray
    sen: np.ndarray  # 0 none, 1 support, 2 plan, from ``sen_year`` on
    sen_year: np.ndarray
    need: np.ndarray
    primary: np.ndarray  # school index
    secondary: np.ndarray
    special: np.ndarray  # school index, or -1
    place: np.ndarray  # 0 accepted, 1 offer not answered, 2 declined, 3 no application
    schools: dict[str, list[Any]]


def make_world(
    rng: np.random.Generator,
    pupils: int,
    years: int,
    authorities: int,
    first_year: int,
    scenario: dict[str, Any],
) -> World:
    """Draw neighbourhoods, schools, households and children.

    Parameters
    ----------
    pupils : int
        Approximate number of children on roll at any time; more are drawn, since cohorts come and go.
    """
    total = max(int(pupils * (12 + years) / 12), 12)
    sizes = rng.choice([1, 2, 3, 4], size=total, p=[0.46, 0.37, 0.13, 0.04])
    household = np.repeat(np.arange(total), sizes)[:total]
    homes = int(household[-1]) + 1
    n_areas = max(10 * authorities, total // 260)
    area_authority = np.arange(n_areas) * authorities // n_areas
    # By definition each decile has the same number of areas; neighbouring areas may differ.
    decile = rng.permutation(np.arange(n_areas) % 10 + 1)
    weight = 1.25 - 0.05 * decile
    area = rng.choice(n_areas, size=homes, p=weight / weight.sum())
    poor = (5.5 - decile[area]) / 4.5
    stability_home = 0.45 * rng.standard_normal(homes) + 0.34 * poor
    authority = area_authority[area]
    stability_home += 0.6 * float(scenario["place"]["authorities_differ"]) * (authority % 2)
    cohort = first_year - 11 + rng.integers(0, 12 + years, total)
    # Siblings are some years apart, never in the same school year (twins are too few to matter).
    first = np.r_[0, np.flatnonzero(np.diff(household)) + 1]
    order = np.arange(total) - np.repeat(first, np.diff(np.r_[first, total]))
    lead = np.repeat(cohort[first], np.diff(np.r_[first, total]))
    cohort = np.where(order > 0, first_year - 11 + (lead - (first_year - 11) + 2 * order) % (12 + years), cohort)
    poor = poor[household]
    fsm = rng.random(total) < np.clip(0.268 * np.exp(0.55 * poor - 0.10), 0, 0.9)
    boys = rng.random(total) < 0.51
    draw, risk = rng.random(total), np.where(fsm, 1.72, 0.72)
    plan = 0.070 * np.where(boys, 1.39, 0.59) * risk
    support = plan + 0.200 * np.where(boys, 1.18, 0.81) * np.where(fsm, 1.55, 0.80)
    sen = np.where(draw < plan, 2, np.where(draw < support, 1, 0)).astype(np.int8)
    engagement = 0.40 * rng.standard_normal(total) + 0.30 * stability_home[household] + 0.12 * (sen > 0) + 0.68 * fsm
    traits = np.column_stack(
        [
            0.5 * rng.standard_normal(total) + np.array([0.0, 0.95, 1.45])[sen] - 0.2,
            1.85 * rng.standard_normal(total) + np.array([0.0, 1.02, 0.92])[sen] + 0.75 * fsm + 0.35 * boys - 2.36,
        ]
    )
    place = rng.random(total)
    strain = 1 / (1 + np.exp(-(1.4 * engagement + 1.4 * stability_home[household] - 2.6)))
    place = np.where(
        place < 0.030 * strain, 3, np.where(place < 0.055 * strain, 2, np.where(place < 0.12 * strain, 1, 0))
    )
    schools, primary, secondary, special = _schools(
        rng=rng,
        area=area,
        household=household,
        n_areas=n_areas,
        area_authority=area_authority,
        authorities=authorities,
        total=total,
        sen=sen,
        scenario=scenario,
    )
    return World(
        authority=authority,
        area=area,
        decile=decile,
        area_authority=area_authority,
        stability_home=stability_home,
        household=household,
        cohort=cohort,
        engagement_home=engagement - engagement.mean(),
        traits=traits,
        sex=np.where(boys, "M", "F"),
        ethnicity=rng.choice(list(ETHNICITIES), size=total, p=_shares(ETHNICITIES)),
        english=rng.random(total) > 0.208,
        fsm=fsm,
        sen=sen,
        sen_year=rng.choice(9, size=total, p=[0.38, 0.26, 0.14, 0.09, 0.05, 0.04, 0.02, 0.01, 0.01]),
        need=_needs(rng, sen),
        primary=primary,
        secondary=secondary,
        special=special,
        place=place.astype(np.int8),
        schools=schools,
    )


def _shares(table: dict[str, float]) -> np.ndarray:
    share = np.array(list(table.values()))
    return share / share.sum()


def _needs(rng: np.random.Generator, sen: np.ndarray) -> np.ndarray:
    support = rng.choice(list(NEEDS["K"]), size=len(sen), p=_shares(NEEDS["K"]))
    plan = rng.choice(list(NEEDS["E"]), size=len(sen), p=_shares(NEEDS["E"]))
    return np.where(sen == 2, plan, support)


def _schools(rng, area, household, n_areas, area_authority, *, authorities, total, sen, scenario):  # type: ignore[no-untyped-def]
    """Assign schools to areas: one primary to a few areas, one secondary to a few primaries, special schools and AP to all."""
    scale = float(scenario["place"]["pupils_per_school"])
    per_area = max(total / n_areas, 1)
    areas_a_primary = max(round(300 * scale / per_area), 1)
    n_primary = -(-n_areas // areas_a_primary)
    n_secondary = max(-(-n_primary // 5), authorities)
    n_special = max(authorities, total // 12000)
    primary_of_area = np.arange(n_areas) // areas_a_primary
    secondary_of_area = np.arange(n_areas) * n_secondary // n_areas
    phases = ["primary"] * n_primary + ["secondary"] * n_secondary + ["special"] * n_special + ["ap"] * authorities
    n = len(phases)
    home = np.r_[np.arange(n_primary) * areas_a_primary, np.arange(n_secondary) * n_areas // n_secondary]
    la = np.r_[
        area_authority[np.minimum(home, n_areas - 1)],
        np.arange(n_special) % authorities,
        np.arange(authorities),
    ]
    ages = {"primary": (4, 11), "secondary": (11, 16), "special": (4, 16), "ap": (11, 16)}
    schools = {
        "urn": [str(100001 + i) for i in range(n)],
        "name": [f"Made-up {phases[i]} school {i + 1}" for i in range(n)],
        "phase": phases,
        "authority": [str(FIRST_AUTHORITY + int(a)) for a in la],
        "low_age": [ages[p][0] for p in phases],
        "high_age": [ages[p][1] for p in phases],
        "trust": [f"trust-{i % 7}" if i % 3 else None for i in range(n)],
    }
    where = area[household]
    other = rng.random(total) < 0.15
    primary = np.where(other, (primary_of_area[where] + 1) % n_primary, primary_of_area[where])
    secondary = n_primary + np.where(other, (secondary_of_area[where] + 1) % n_secondary, secondary_of_area[where])
    in_special = (sen == 2) & (rng.random(total) < 0.36)
    special = np.where(in_special, n_primary + n_secondary + rng.integers(0, n_special, total), -1)
    return schools, primary, secondary, special
