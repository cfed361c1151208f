"""A dossier that passes every gate, and a registry that holds such versions; no model is trained for them."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

from features import Definition
from features.catalogue import catalogue
from training.bundle import bundle_digest, read_bundle
from training.papers.forms import FORMS
from training.papers.rendering import STEMS
from training.provenance import made_with

DATA = "d" * 64
HELP = {
    "snapshots": 200_000,
    "helped": 0,
    "left_out": 0,
    "ended": 0,
    "until": "2025-05-12",
    "recorded_until": "2025-07-01",
}
FIGURES = {
    "average_precision": 0.2,
    "auc": 0.9,
    "positives": 60,
    "snapshots": 40_000,
    "calibration_slope": 1.05,
    "calibration_slope_interval": [0.9, 1.2],
    "intervals": {"average_precision": [0.1, 0.3]},
    "at_capacity": {"top_25_a_list": {"precision": 0.1, "recall": 0.3, "lift": 90.0}},
}


def lead(value, low, high):
    return {"average_precision": {"lead": value, "interval": [low, high], "within_noise": low <= 0 <= high}}


def manifest(bundle, version=2):
    """The manifest of the shared bundle, with figures that pass the gates."""
    _, stored = read_bundle(bundle)
    leads = {"base_rate": lead(0.15, 0.1, 0.2), "checklist": lead(0.05, -0.01, 0.1)}
    return replace(
        stored, version=str(version), metrics={"lightgbm": dict(FIGURES)}, leads=leads, data_digest=DATA, seed=1
    )


def recipe():
    task = {
        "definition": asdict(Definition.load()),
        "horizon": 120,
        "as_of": [],
        "rule": None,
        "until": None,
        "known": None,
        "helped": "as-they-came",
    }
    return {
        "question": task,
        "helped": HELP,
        "config": {"rounds": 40},
        "released": {"rounds": 40, "monotone": True},
        "seed": 1,
        "trials": 0,
        "memory": None,
        "histories": DATA,
        "trained_by": "tess",
        **made_with("duckdb"),
    }


def groups(missing=(100, 100)):
    """The counts of a fairness report: girls and boys differ only in how many went missing; 100 were expected of each."""
    wide = {"children": 20_000, "missing": 200, "listed": 400, "found": 100, "expected": 200}
    wide["missing"] = sum(missing)
    halves = [{**{k: v // 2 for k, v in wide.items()}, "missing": n} for n in missing]
    slices = [{"groups": ["sex"], "values": [v], "counts": c} for v, c in zip(("female", "male"), halves, strict=True)]
    others = ["ethnicity", "fsm", "eal", "sen", "idaci_fifth"]
    return {
        "capacity": 25,
        "design": {"pupils": 1.0, "weight": 1.0, "expected": 0.0},
        "overall": {"counts": wide},
        "groups": slices,
        "left_out": others,
    }


def papers():
    """Papers in which every field is filled."""
    return {
        form.name: {"sections": [{"key": s.key, "fields": [filled(f) for f in s.fields]} for s in form.sections]}
        for form in FORMS
    }


def filled(field):
    """Return a field of a paper with words in it."""
    return {"key": field.key, "title": field.title, "mandatory": True, "value": "words"}


def as_files(_):
    return {"card.md": "# card\n", **{f"{STEMS[name]}.json": json.dumps(paper) for name, paper in papers().items()}}


def evidence(champion_bundle, champion=1):
    leaks = {
        "snapshots": 700,
        "features": 108,
        "rows": {"attendance": {"changed": 500}},
        "leaks": [],
        "holds": True,
        "data_digest": DATA,
        "catalogue_digest": catalogue().digest,
    }
    against = {
        "version": champion,
        "bundle": champion_bundle,
        "snapshots": 40_000,
        "positives": 60,
        **lead(0.01, -0.01, 0.03),
    }
    return {
        "judged_on": ["2025-01-13"],
        "histories": DATA,
        "champion": against,
        "groups": groups(),
        "leaks": leaks,
        "helped": {"way": "as-they-came", **HELP},
    }


def dossier(bundle):
    """Everything the gates read about version 2, while version 1 serves."""
    booster, _ = read_bundle(bundle)
    parts = {
        "version": 2,
        "approver": "ann",
        "reason": "better in every term",
        "manifest": asdict(manifest(bundle)),
        "recipe": recipe(),
        "booster": booster,
        "papers": papers(),
        "bundle": {"whole": True, "why": "", "digest": "b2", "registered": "b2"},
        "evidence": evidence("b1"),
        "evidence_digest": "e2",
        "log": {
            "whole": True,
            "why": "",
            "lines": 2,
            "version": 2,
            "champion": 1,
            "alias": 1,
            "champion_bundle": "b1",
            "served_since": "2024-09-01",
        },
    }
    return json.loads(json.dumps(parts))


class Registered:
    """The part of MLflow's registry that releases use, in memory."""

    def __init__(self):
        self.tags, self.versions, self.aliases, self.version_tags = {}, 0, {}, {}

    def create_registered_model(self, name, description):
        pass

    def update_model_version(self, name, version, description):
        pass

    def create_model_version(self, name, source, **given):
        self.versions += 1
        return SimpleNamespace(version=self.versions)

    def get_registered_model(self, name):
        return SimpleNamespace(tags=dict(self.tags), aliases=dict(self.aliases))

    def set_model_version_tag(self, name, version, key, value):
        self.version_tags[version] = {key: value}

    def set_registered_model_tag(self, name, key, value):
        self.tags[key] = value

    def set_registered_model_alias(self, name, alias, version):
        self.aliases[alias] = version

    def delete_registered_model_alias(self, name, alias):
        del self.aliases[alias]


def trained(bundle):
    booster, _ = read_bundle(bundle)
    return SimpleNamespace(
        booster=booster, manifest=manifest(bundle), recipe=recipe(), splits=SimpleNamespace(text=lambda: "L J")
    )


def registered(settings, bundle, count=2):
    """Register versions and return the model's folder; the first serves, the others have evidence against it."""
    from training.release.registry import register

    for _ in range(count):
        folder = settings.releases / "onroll"
        material = SimpleNamespace(named=lambda version: None)
        register(
            settings,
            trained(bundle),
            run_id="run",
            model_id="m-1",
            material=material,
            evidence=evidence(bundle_digest(folder / "v1")) if (folder / "v1").is_dir() else None,
        )
    return settings.releases / "onroll"
