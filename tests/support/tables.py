"""Small tables written as aligned text, as in the examples of features."""

from features.specs.spec import rows

__all__ = ["rows"]
