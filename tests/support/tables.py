"""Small tables written as aligned text; the specs of features are written in them too."""

from features.specs.spec import rows

__all__ = ["rows"]
