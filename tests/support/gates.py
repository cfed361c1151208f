"""What every test of a gate does: spoil a good dossier, and see that the gate fails and cannot be passed by deleting anything."""

import copy

from tests.support.nested import paths, without
from training.gates import GATES
from training.gates.gate import Dossier, check_all
from training.gates.limits import load_limits

LIMITS = load_limits()
GATE = {gate.code: gate for gate in GATES}
FIGURES = ("manifest", "metrics", "lightgbm")


def put(parts, value, *path):
    """Put a value where a path leads."""
    at = parts
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value


def changed(parts, spoil):
    """Return a spoiled copy."""
    other = copy.deepcopy(parts)
    spoil(other)
    return other


def verdict(code, parts, limits=LIMITS):
    """Return what a gate says of a dossier."""
    return GATE[code].verdict(Dossier(parts), limits.get(code, {}))


class Recording(Dossier):
    """Remembers what was taken: there is no other way to read a dossier."""

    def __init__(self, parts):
        super().__init__(parts)
        self.taken = set()

    def take(self, *path):
        self.taken.add(path)
        return super().take(*path)


def read_by(code, parts):
    """Return the paths that a gate reads."""
    dossier = Recording(parts)
    GATE[code].verdict(dossier, LIMITS.get(code, {}))
    return dossier.taken


def assert_fails(code, good, spoil):
    """The gate fails on a spoiled dossier, says why, and stays failed whatever else is deleted from it or from its limits."""
    parts = changed(good, spoil)
    failed = {v.code: v for v in check_all(GATES, parts, LIMITS) if not v.passed}
    assert code in failed
    fault = str(failed[code].fault("onroll 2"))
    assert fault.startswith(f"{code} onroll 2: {GATE[code].title}: {failed[code].measured}; required: ")
    read = read_by(code, parts) | read_by(code, good)
    within = [p for p in paths(parts) if any(p == r[: len(p)] or r == p[: len(r)] for r in read)]
    assert within
    for path in within:
        for other in without(parts, path):
            assert not verdict(code, other).passed, path
    for name in LIMITS.get(code, {}):
        for limits in without(LIMITS, (code, name)):
            assert not verdict(code, parts, limits).passed, name


def assert_needs_every_input(code, good):
    """The gate passes a good dossier, and fails without any one of the parts that it reads."""
    assert verdict(code, good).passed
    assert not verdict(code, {}).passed
    for path in read_by(code, good):
        for other in without(good, path):
            assert not verdict(code, other).passed, path
