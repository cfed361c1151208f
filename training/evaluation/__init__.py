"""Evaluation beyond the headline figures: groups, themes, weeks, other authorities, mistakes."""
