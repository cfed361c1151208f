"""Versions: tracking, the registry, promotion, comparison and reproduction."""
