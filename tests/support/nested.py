"""Walking nested dictionaries, and taking any part of one away."""

import copy


def paths(parts, before=()):
    """Yield the path of every key, outer ones first."""
    for key, inner in parts.items():
        yield (*before, key)
        if isinstance(inner, dict):
            yield from paths(inner, (*before, key))


def without(parts, path):
    """Yield copies in which the part at a path is missing, null or empty."""
    for value in (None, "", {}, [], ...):
        other = copy.copy(parts)
        at = other
        for key in path[:-1]:
            at[key] = copy.copy(at[key])
            at = at[key]
        if value is ...:
            del at[path[-1]]
        else:
            at[path[-1]] = value
        yield other
